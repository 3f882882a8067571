cimport cython

@cython.locals(
    view="const unsigned char *",
    end=Py_ssize_t,
    whole=Py_ssize_t,
    reach=Py_ssize_t,
    count=Py_ssize_t,
    size="unsigned int",
)
cpdef tuple follow(bytes data, Py_ssize_t pos, int tag)
