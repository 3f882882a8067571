cimport cython

cdef void put(
    unsigned char * target, Py_ssize_t at, const unsigned char * source, Py_ssize_t start, Py_ssize_t length
) noexcept

@cython.locals(
    view="const unsigned char *",
    end=Py_ssize_t,
    whole=Py_ssize_t,
    reach=Py_ssize_t,
    count=Py_ssize_t,
    size=Py_ssize_t,
    first=int,
)
cpdef tuple follow(bytes data, Py_ssize_t pos, Py_ssize_t sequence, Py_ssize_t most, int binary)

cdef int _head(int first) noexcept

@cython.locals(first=int, length=Py_ssize_t)
cdef Py_ssize_t _length(const unsigned char * source, Py_ssize_t pos, Py_ssize_t stop) except -1

@cython.locals(size=Py_ssize_t)
cdef Py_ssize_t _stop(const unsigned char * source, Py_ssize_t pos, Py_ssize_t end) except -1

@cython.locals(source="const unsigned char *", at=Py_ssize_t, digits=Py_ssize_t)
cpdef int written_otherwise(bytes data, Py_ssize_t start, Py_ssize_t end)

@cython.locals(
    source="const unsigned char *",
    target="unsigned char *",
    plan="const unsigned char *",
    sizes="const unsigned char *",
    text=bytes,
    end=Py_ssize_t,
    pos=Py_ssize_t,
    frame=Py_ssize_t,
    field=Py_ssize_t,
    nulls=Py_ssize_t,
    stop=Py_ssize_t,
    column=Py_ssize_t,
    columns=Py_ssize_t,
    binary=Py_ssize_t,
    filled=Py_ssize_t,
    length=Py_ssize_t,
    rows=Py_ssize_t,
    kind=int,
    wide="unsigned int",
)
cpdef tuple gather(bytes data, bytes kinds, bytes widths, int framed)

@cython.locals(
    source="const unsigned char *",
    plan="const unsigned char *",
    sizes="const unsigned char *",
    end=Py_ssize_t,
    pos=Py_ssize_t,
    frame=Py_ssize_t,
    field=Py_ssize_t,
    nulls=Py_ssize_t,
    stop=Py_ssize_t,
    column=Py_ssize_t,
    columns=Py_ssize_t,
    binary=Py_ssize_t,
    filled=Py_ssize_t,
    length=Py_ssize_t,
    wanted=Py_ssize_t,
    index=Py_ssize_t,
    mark=Py_ssize_t,
    kind=int,
)
cpdef list locate(bytes data, bytes kinds, bytes widths, int framed, list starts, list marks)

@cython.locals(
    source="const unsigned char *",
    plan="const unsigned char *",
    sizes="const unsigned char *",
    end=Py_ssize_t,
    pos=Py_ssize_t,
    kept=Py_ssize_t,
    head=Py_ssize_t,
    start=Py_ssize_t,
    field=Py_ssize_t,
    nulls=Py_ssize_t,
    place=Py_ssize_t,
    stop=Py_ssize_t,
    column=Py_ssize_t,
    columns=Py_ssize_t,
    binary=Py_ssize_t,
    length=Py_ssize_t,
    grown=Py_ssize_t,
    kind=int,
    out=bytearray,
)
cpdef tuple rewrite(bytes data, bytes kinds, bytes widths, int framed, list constants, call)
