from __future__ import annotations

from gateway.facts.cache import Cache


def test_what_was_used_longest_ago_leaves_first():
    cache: Cache[int] = Cache(entries=2, weight=1_000)
    cache.put("a", 1, weight=1)
    cache.put("b", 2, weight=1)
    assert cache.get("a") == 1
    cache.put("c", 3, weight=1)
    assert (cache.get("a"), cache.get("b"), cache.get("c")) == (1, None, 3)
    assert len(cache) == 2


def test_weight_is_bounded():
    cache: Cache[int] = Cache(entries=100, weight=80)
    for i in range(50):
        cache.put(str(i), i, weight=10)
    assert len(cache) == 8
    assert cache.get("49") == 49


def test_one_heavy_entry_does_not_push_the_others_out():
    cache: Cache[int] = Cache(entries=100, weight=80)
    cache.put("light", 1, weight=1)
    cache.put("heavy", 2, weight=11)
    assert cache.get("heavy") is None
    assert cache.get("light") == 1


def test_putting_again_replaces():
    cache: Cache[int] = Cache(entries=100, weight=80)
    for i in range(20):
        cache.put("a", i, weight=10)
    assert len(cache) == 1
    assert cache.get("a") == 19
