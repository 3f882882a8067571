cimport cython

cdef unsigned int _NULL

cdef void put(
    unsigned char * target, Py_ssize_t at, const unsigned char * source, Py_ssize_t start, Py_ssize_t length
) noexcept

@cython.locals(source="const unsigned char *", at=Py_ssize_t, digits=Py_ssize_t)
cpdef int written_otherwise(bytes data, Py_ssize_t start, Py_ssize_t end)

@cython.locals(
    source="const unsigned char *",
    target="unsigned char *",
    plan="const unsigned char *",
    text=bytes,
    end=Py_ssize_t,
    pos=Py_ssize_t,
    frame=Py_ssize_t,
    stop=Py_ssize_t,
    column=Py_ssize_t,
    columns=Py_ssize_t,
    filled=Py_ssize_t,
    size="unsigned int",
    length="long long",
    rows=Py_ssize_t,
    kind=int,
    wide="long long",
)
cpdef tuple gather(bytes data, bytes kinds)

@cython.locals(
    source="const unsigned char *",
    plan="const unsigned char *",
    end=Py_ssize_t,
    pos=Py_ssize_t,
    frame=Py_ssize_t,
    column=Py_ssize_t,
    columns=Py_ssize_t,
    filled=Py_ssize_t,
    wanted=Py_ssize_t,
    index=Py_ssize_t,
    mark=Py_ssize_t,
    size="unsigned int",
    length="long long",
)
cpdef list locate(bytes data, bytes kinds, list starts, list marks)

@cython.locals(
    source="const unsigned char *",
    plan="const unsigned char *",
    end=Py_ssize_t,
    pos=Py_ssize_t,
    kept=Py_ssize_t,
    head=Py_ssize_t,
    stop=Py_ssize_t,
    column=Py_ssize_t,
    columns=Py_ssize_t,
    size="unsigned int",
    length="long long",
    grown=Py_ssize_t,
    kind=int,
    hidden=Py_ssize_t,
    out=bytearray,
)
cpdef tuple rewrite(bytes data, bytes kinds, list constants, call)
