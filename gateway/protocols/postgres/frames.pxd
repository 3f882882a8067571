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

@cython.locals(
    view="const unsigned char *",
    named=Py_ssize_t,
    prepared=Py_ssize_t,
    pos=Py_ssize_t,
    count=Py_ssize_t,
    size="unsigned int",
    formats=tuple,
    results=tuple,
    values=list,
)
cpdef tuple bind(bytes data, Py_ssize_t start, Py_ssize_t end)

@cython.locals(
    view="const unsigned char *",
    count=Py_ssize_t,
    place=Py_ssize_t,
    code="unsigned int",
    codes=list,
)
cdef tuple _codes(bytes data, Py_ssize_t pos, Py_ssize_t end)

@cython.locals(
    view="const unsigned char *",
    end=Py_ssize_t,
    described=Py_ssize_t,
    rows=Py_ssize_t,
    over=Py_ssize_t,
    count=Py_ssize_t,
    size="unsigned int",
)
cpdef tuple whole_answer(bytes data, Py_ssize_t pos)
