cimport cython

@cython.locals(sign=int)
cdef Py_ssize_t field_end(
    const unsigned char * source, Py_ssize_t pos, Py_ssize_t last, const unsigned char * stops, int delimiter, int quote,
    int escape
) noexcept

@cython.locals(sign=int)
cdef int is_plain(const unsigned char * source, Py_ssize_t pos, Py_ssize_t last, int quote) noexcept

@cython.locals(reach=Py_ssize_t, found="const unsigned char *")
cdef Py_ssize_t plain_end(const unsigned char * source, Py_ssize_t pos, Py_ssize_t last, int delimiter) noexcept

cdef Py_ssize_t copied(
    const unsigned char * source, Py_ssize_t start, Py_ssize_t end, unsigned char * target, Py_ssize_t at
) noexcept

cpdef bytes stopping(int delimiter, int quote)

@cython.locals(sign=int)
cdef Py_ssize_t as_written(
    const unsigned char * source, Py_ssize_t start, Py_ssize_t end, unsigned char * target, Py_ssize_t at, int quote
) noexcept

@cython.locals(
    put=Py_ssize_t, pos=Py_ssize_t, sign=int, octal=int, hexadecimal=int, count=int, digit=int, quoted=int
)
cdef Py_ssize_t value(
    const unsigned char * source, Py_ssize_t start, Py_ssize_t end, unsigned char * target, Py_ssize_t at, int quote,
    int escape
) noexcept

@cython.locals(at=Py_ssize_t)
cdef int is_null(
    const unsigned char * source, Py_ssize_t start, Py_ssize_t end, const unsigned char * null, Py_ssize_t length
) noexcept

@cython.locals(
    source="const unsigned char *",
    target="unsigned char *",
    plan="const unsigned char *",
    nothing="const unsigned char *",
    stops="const unsigned char *",
    text=bytes,
    columns=Py_ssize_t,
    length=Py_ssize_t,
    end=Py_ssize_t,
    pos=Py_ssize_t,
    frame=Py_ssize_t,
    stop=Py_ssize_t,
    last=Py_ssize_t,
    reach=Py_ssize_t,
    filled=Py_ssize_t,
    column=Py_ssize_t,
    rows=Py_ssize_t,
    start=Py_ssize_t,
    size="unsigned int",
    plain=int,
)
cpdef tuple gather(bytes data, bytes kinds, int delimiter, int quote, int escape, bytes null)

@cython.locals(
    source="const unsigned char *",
    target="unsigned char *",
    plan="const unsigned char *",
    nothing="const unsigned char *",
    stops="const unsigned char *",
    text=bytearray,
    length=Py_ssize_t,
    end=Py_ssize_t,
    pos=Py_ssize_t,
    frame=Py_ssize_t,
    stop=Py_ssize_t,
    reach=Py_ssize_t,
    filled=Py_ssize_t,
    behind=Py_ssize_t,
    column=Py_ssize_t,
    wanted=Py_ssize_t,
    index=Py_ssize_t,
    mark=Py_ssize_t,
    kind=int,
    searched=bint,
    size="unsigned int",
)
cpdef list locate(bytes data, bytes kinds, list starts, list marks, int delimiter, int quote, int escape, bytes null)

@cython.locals(
    source="const unsigned char *",
    plan="const unsigned char *",
    nothing="const unsigned char *",
    stops="const unsigned char *",
    columns=Py_ssize_t,
    length=Py_ssize_t,
    end=Py_ssize_t,
    pos=Py_ssize_t,
    head=Py_ssize_t,
    kept=Py_ssize_t,
    stop=Py_ssize_t,
    last=Py_ssize_t,
    reach=Py_ssize_t,
    column=Py_ssize_t,
    size="unsigned int",
    grown=Py_ssize_t,
    kind=int,
    out=bytearray,
)
cpdef tuple rewrite(
    bytes data, bytes kinds, list constants, int delimiter, int quote, int escape, bytes null, call
)

@cython.locals(source="const unsigned char *", end=Py_ssize_t, pos=Py_ssize_t, size="unsigned int")
cpdef list contents(bytes data)
