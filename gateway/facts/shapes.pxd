cimport cython

@cython.locals(
    data=bytes,
    view="const unsigned char *",
    end=Py_ssize_t,
    pos=Py_ssize_t,
    kept=Py_ssize_t,
    begin=Py_ssize_t,
    byte="unsigned int",
    before="unsigned int",
    behind="unsigned int",
    copy=bytes,
    out="unsigned char *",
)
cpdef blanked(str text)

cdef bint _beside(unsigned int byte)
