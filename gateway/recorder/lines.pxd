cimport cython

@cython.locals(
    text=bytes,
    target="unsigned char *",
    here=Py_ssize_t,
    total=Py_ssize_t,
    end=Py_ssize_t,
    micros="long long",
    seconds="long long",
)
cpdef bytes record(
    long long number,
    double at,
    bytes kind,
    bytes prev,
    Py_ssize_t size,
    bytes fields,
    bytes known,
    bytes payload,
)

@cython.locals(data=bytes)
cpdef object opening(str command_id)

@cython.locals(data=bytes, shown=bytes, parts=list)
cpdef object asked(bytes opened, str text, object parameters)

@cython.locals(source="const unsigned char *", place=Py_ssize_t, byte="unsigned int")
cdef bint plain(bytes data, Py_ssize_t length) noexcept

cdef Py_ssize_t put(
    unsigned char * target, Py_ssize_t at, const unsigned char * source, Py_ssize_t start, Py_ssize_t length
) noexcept

@cython.locals(count=Py_ssize_t)
cdef Py_ssize_t width(long long value) noexcept

@cython.locals(place=Py_ssize_t)
cdef Py_ssize_t digits(unsigned char * target, Py_ssize_t at, long long value, Py_ssize_t count) noexcept

@cython.locals(read="const unsigned char *", place=Py_ssize_t, high="unsigned int", low="unsigned int")
cdef Py_ssize_t hexadecimal(
    unsigned char * target, Py_ssize_t at, bytes source, Py_ssize_t length
) noexcept
