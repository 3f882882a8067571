cimport cython
from cpython cimport array

@cython.locals(
    found=list,
    source="const unsigned char *",
    column="const unsigned char *",
    edge="const unsigned int *",
    rows="const unsigned int *",
    end=Py_ssize_t,
    part=Py_ssize_t,
    at=Py_ssize_t,
    second_at=Py_ssize_t,
    third_at=Py_ssize_t,
    fourth_at=Py_ssize_t,
    behind=Py_ssize_t,
    begun=Py_ssize_t,
    stretches="const unsigned char *",
    first="unsigned int",
    second="unsigned int",
    third="unsigned int",
    fourth="unsigned int",
    one="unsigned int",
    two="unsigned int",
    three="unsigned int",
    four="unsigned int",
)
cpdef object places(
    bytes data, Py_ssize_t start, Py_ssize_t depth, array.array table, bytes columns, array.array edges, object entry,
    Py_ssize_t most
)

@cython.locals(one=size_t, two=size_t, three=size_t, four=size_t)
cdef (Py_ssize_t, size_t, size_t, size_t, size_t) stepped(
    const unsigned char *source, Py_ssize_t part, const unsigned char *column, const unsigned int *rows,
    Py_ssize_t at, size_t first, size_t second, size_t third, size_t fourth
) noexcept

@cython.locals(
    source="const unsigned char *",
    column="const unsigned char *",
    rows="const unsigned int *",
    end=Py_ssize_t,
    at=Py_ssize_t,
    row="unsigned int",
    kind="unsigned int",
)
cpdef int clear(bytes data, Py_ssize_t depth, array.array table, bytes columns)

cdef unsigned int looked(
    unsigned int value, unsigned int row, unsigned int column, Py_ssize_t place, object entry, list found
) except? 0x7FFFFFFF

@cython.locals(
    source="const unsigned char *",
    column="const unsigned char *",
    rows="const unsigned int *",
    end=Py_ssize_t,
    count=Py_ssize_t,
    kind="unsigned int",
    value="unsigned int",
)
cdef int read(
    bytes data, Py_ssize_t at, Py_ssize_t stop, unsigned int row, Py_ssize_t before, Py_ssize_t depth,
    array.array table, bytes columns, object entry, list found, Py_ssize_t most
) except -1

@cython.locals(
    found=list,
    source="const unsigned char *",
    column="const unsigned char *",
    of_word="const unsigned char *",
    goes_on="const unsigned char *",
    number="const unsigned short *",
    kinds=Py_ssize_t,
    end=Py_ssize_t,
    at=Py_ssize_t,
    one="unsigned int",
    two="unsigned int",
    three="unsigned int",
    before="unsigned int",
    here="unsigned int",
    edge="unsigned int",
    which=Py_ssize_t,
)
cpdef object openings(
    bytes data, Py_ssize_t start, Py_ssize_t depth, bytes columns, bytes words, array.array pairs, bytes masks,
    array.array table, unsigned int inside, unsigned int at_edge, object entry, Py_ssize_t most
)

@cython.locals(
    source="const unsigned char *",
    column="const unsigned char *",
    rows="const unsigned int *",
    end=Py_ssize_t,
    stop=Py_ssize_t,
    kind="unsigned int",
    value="unsigned int",
)
cdef int begins(
    bytes data, Py_ssize_t at, Py_ssize_t depth, bytes columns, array.array table, unsigned int row, object entry
) except -1
