"""A function given in Python has another name where anything that it goes by is another."""

import functools
import operator
import re
import sys
import types

import pytest

from metaspo.domain.function_identity import identity_of

CHANGED = {
    "closure value": ("def mk(k):\n    def f(answer): return float(len(answer)>k)\n    return f\nF=mk(%s)", "1", "2"),
    "default": ("def F(answer,k=%s): return float(len(answer)>k)", "1", "2"),
    "kwdefault": ("def F(answer,*,k=%s): return float(len(answer)>k)", "1", "2"),
    "global": ("K=%s\ndef F(answer): return float(len(answer)>K)", "1", "2"),
    "global list": ("K=[1,%s]\ndef F(answer): return float(len(answer) in K)", "1", "2"),
    "global dict deep": (
        "K={'a':{'b':{'c':{'d':{'e':{'f':%s}}}}}}\ndef F(answer): return float(K['a']['b']['c']['d']['e']['f'])",
        "0",
        "1",
    ),
    "partial arg": ("def g(k,answer): return float(len(answer)>k)\nF=functools.partial(g,%s)", "1", "2"),
    "partial kw": ("def g(answer,k): return float(len(answer)>k)\nF=functools.partial(g,k=%s)", "1", "2"),
    "partial of closure": (
        "def mk(k):\n    def f(answer): return float(len(answer)>k)\n    return f\nF=functools.partial(mk(%s))",
        "1",
        "2",
    ),
    "helper": ("def h(a): return len(a)>%s\ndef F(answer): return float(h(answer))", "1", "2"),
    "nested helper": ("def h2(a): return %s\ndef h(a): return h2(a)\ndef F(answer): return float(h(answer))", "1", "0"),
    "lambda": ("F=lambda answer: %s", "1.0", "0.0"),
    "regex": ("R=re.compile(%s)\ndef F(answer): return float(bool(R.search(answer)))", "'a'", "'b'"),
    "object attr": (
        "class S:\n    def __init__(s,k): s.k=k\n    def __call__(s,answer): return float(len(answer)>s.k)\nF=S(%s)",
        "1",
        "2",
    ),
    "slots": (
        "class S:\n    __slots__=('k',)\n    def __init__(s,k): s.k=k\n    def __call__(s,answer): return float(len(answer)>s.k)\nF=S(%s)",
        "1",
        "2",
    ),
    "class attr": ("class S:\n    k=%s\n    def __call__(s,answer): return float(len(answer)>s.k)\nF=S()", "1", "2"),
    "base class attr": (
        "class B:\n    k=%s\nclass S(B):\n    def __call__(s,answer): return float(len(answer)>s.k)\nF=S()",
        "1",
        "2",
    ),
    "class used": ("class C:\n    k=%s\ndef F(answer): return float(C.k)", "1", "0"),
    "property": ("class C:\n    @property\n    def k(self): return %s\ndef F(answer): return float(C().k)", "1", "0"),
    "staticmethod": ("class C:\n    @staticmethod\n    def k(): return %s\ndef F(answer): return float(C.k())", "1", "0"),
    "classmethod": ("class C:\n    @classmethod\n    def k(cls): return %s\ndef F(answer): return float(C.k())", "1", "0"),
    "wrapped": (
        "def deco(f):\n    @functools.wraps(f)\n    def w(answer): return f(answer)*%s\n    return w\n@deco\ndef F(answer): return 1.0",
        "1",
        "0",
    ),
    "wrapped inner": (
        "def deco(f):\n    @functools.wraps(f)\n    def w(answer): return f(answer)\n    return w\n@deco\ndef F(answer): return %s",
        "1.0",
        "0.0",
    ),
    "lru": ("@functools.lru_cache\ndef F(answer): return %s", "1.0", "0.0"),
    "bound method": (
        "class S:\n    def __init__(s,k): s.k=k\n    def m(s,answer): return float(len(answer)>s.k)\nF=S(%s).m",
        "1",
        "2",
    ),
    "function attribute": ("def F(answer): return float(F.k)\nF.k=%s", "1", "0"),
    "set": ("K={'a','b',%s}\ndef F(answer): return float(answer in K)", "'c'", "'d'"),
    "dict of fns": ("K={'a':lambda x:%s}\ndef F(answer): return float(K['a'](answer))", "1", "0"),
    "tuple in partial": ("def g(k,answer): return float(k[0](answer))\nF=functools.partial(g,(lambda a:%s,))", "1", "0"),
    "default fn": ("def F(answer,h=lambda a:%s): return float(h(answer))", "1", "0"),
    "attrgetter": ("F2=operator.itemgetter(%s)\ndef F(answer): return float(F2([0,1]))", "0", "1"),
    "float vs int": ("K=%s\ndef F(answer): return float(isinstance(K,int))", "1", "1.0"),
    "bool vs int": ("K=%s\ndef F(answer): return float(K is True)", "1", "True"),
    "frozenset const": ("def F(answer): return float(answer in {'a',%s})", "'b'", "'c'"),
    "enum": ("import enum\nclass E(enum.Enum):\n    A=%s\ndef F(answer): return float(E.A.value)", "0", "1"),
    "dataclass": (
        "import dataclasses\n@dataclasses.dataclass\nclass D:\n    k:int=%s\nd=D()\ndef F(answer): return float(d.k)",
        "0",
        "1",
    ),
    "dataclass default": (
        "import dataclasses\n@dataclasses.dataclass\nclass D:\n    k:int=%s\ndef F(answer): return float(D().k)",
        "0",
        "1",
    ),
    "namedtuple": (
        "import collections\nP=collections.namedtuple('P','a')\np=P(%s)\ndef F(answer): return float(p.a)",
        "0",
        "1",
    ),
    "simplenamespace": ("import types\np=types.SimpleNamespace(a=%s)\ndef F(answer): return float(p.a)", "0", "1"),
    "decimal": ("import decimal\np=decimal.Decimal('%s')\ndef F(answer): return float(p)", "0", "1"),
    "path": ("import pathlib\np=pathlib.Path('%s')\ndef F(answer): return float(len(str(p)))", "0", "11"),
    "defaultdict": ("import collections\np=collections.defaultdict(lambda: %s)\ndef F(answer): return float(p['x'])", "0", "1"),
    "counter": ("import collections\np=collections.Counter({'a':%s})\ndef F(answer): return float(p['a'])", "0", "1"),
    "deque": ("import collections\np=collections.deque([%s])\ndef F(answer): return float(p[0])", "0", "1"),
    "generator closure": ("def mk():\n    k=%s\n    return lambda answer: float(k)\nF=mk()", "0", "1"),
    "global in comprehension": ("K=%s\ndef F(answer): return max(float(K) for _ in range(2))", "0", "1"),
    "class in closure obj": ("class A:\n    def v(self): return %s\na=A()\ndef F(answer): return float(a.v())", "0", "1"),
    "global via getattr default": (
        "class A: pass\na=A()\na.x=A()\na.x.y=A()\na.x.y.z=A()\na.x.y.z.w=A()\na.x.y.z.w.v=%s\ndef F(answer): return float(a.x.y.z.w.v)",
        "0",
        "1",
    ),
    "partialmethod": (
        "class A:\n    def g(self,k,answer): return float(k)\n    f=functools.partialmethod(g,%s)\nF=A().f",
        "0",
        "1",
    ),
    "array": ("import array\nK=array.array('i',[%s])\ndef F(answer): return float(K[0])", "0", "1"),
    "mappingproxy": ("import types\nK=types.MappingProxyType({'a':%s})\ndef F(answer): return float(K['a'])", "0", "1"),
    "range": ("K=range(%s)\ndef F(answer): return float(len(K)>2)", "2", "3"),
    "datetime": ("import datetime\nK=datetime.date(2020,1,%s)\ndef F(answer): return float(K.day>1)", "1", "2"),
    "metaclass call": (
        "class M(type):\n    @property\n    def k(cls): return %s\nclass A(metaclass=M): pass\ndef F(answer): return float(A.k)",
        "0",
        "1",
    ),
    "dict subclass": ("class D(dict): pass\nd=D(a=1); d.k=%s\ndef F(answer): return float(d.k)", "0", "1"),
    "list subclass": ("class D(list):\n    pass\nd=D([1]); d.k=%s\ndef F(answer): return float(d.k)", "0", "1"),
    "str subclass": ("class D(str):\n    pass\nd=D('x'); d.k=%s\ndef F(answer): return float(d.k)", "0", "1"),
    "int subclass method": ("class D(int):\n    def v(self): return %s\nd=D(3)\ndef F(answer): return float(d.v())", "0", "1"),
    "descriptor": (
        "class Dd:\n    def __get__(s,i,o): return %s\nclass A: x=Dd()\ndef F(answer): return float(A().x)",
        "0",
        "1",
    ),
    "memoryview": ("K=memoryview(b'%s')\ndef F(answer): return float(K[0]>48)", "0", "1"),
    "bytearray": ("K=bytearray(b'%s')\ndef F(answer): return float(K[0]>48)", "0", "1"),
    "iter": ("K=iter([%s])\ndef F(answer): return float(next(K))", "0", "1"),
    "weird cached_property": (
        "class A:\n    @functools.cached_property\n    def k(self): return %s\na=A()\ndef F(answer): return float(a.k)",
        "0",
        "1",
    ),
    "singledispatch": ("@functools.singledispatch\ndef g(x): return %s\ndef F(answer): return float(g(answer))", "0", "1"),
    "singledispatch reg": (
        "@functools.singledispatch\ndef g(x): return 0\n@g.register\ndef _(x:str): return %s\ndef F(answer): return float(g(answer))",
        "0",
        "1",
    ),
    "lru helper": ("@functools.lru_cache\ndef g(x): return %s\ndef F(answer): return float(g(answer))", "0", "1"),
    "chainmap": ("import collections\nK=collections.ChainMap({'a':%s})\ndef F(answer): return float(K['a'])", "0", "1"),
    "string template": ("import string\nK=string.Template('%s')\ndef F(answer): return float(K.template)", "0", "1"),
    "fraction": ("import fractions\nK=fractions.Fraction(%s,3)\ndef F(answer): return float(K)", "0", "1"),
    "class dict": ("class A:\n    K={'a':%s}\ndef F(answer): return float(A.K['a'])", "0", "1"),
    "class list obj": ("class A:\n    K=[%s]\n    def __call__(s,answer): return float(s.K[0])\nF=A()", "0", "1"),
    "enum obj": (
        "import enum\nclass E(enum.Enum):\n    A=%s\n    B=7\nclass S:\n    def __init__(s): s.m=E.A\n    def __call__(s,answer): return float(s.m.value)\nF=S()",
        "0",
        "1",
    ),
    "partial enum": (
        "import enum\nclass E(enum.Enum):\n    A=%s\ndef g(k,answer): return float(k.value)\nF=functools.partial(g,E.A)",
        "0",
        "1",
    ),
    "lru global list": ("K=[%s]\n@functools.lru_cache\ndef F(answer): return float(K[0])", "0", "1"),
    "method of class table": ("class A:\n    K=[%s]\n    def m(s,answer): return float(s.K[0])\nF=A().m", "0", "1"),
    "partial of list": ("def g(k,answer): return float(k[0])\nF=functools.partial(g,[%s])", "0", "1"),
    "partial of partial": ("def g(k,j,answer): return float(k)\nF=functools.partial(functools.partial(g,%s),3)", "0", "1"),
}
"""Scripts that define F, and two values for what they leave open."""
HIDDEN = {
    "globals": "K = 1\ndef F(answer): return float(globals()['K'])",
    "random": "import random\nK = random.Random(1)\ndef F(answer): return K.random()",
    "context": "import contextvars\nK = contextvars.ContextVar('k', default=1)\ndef F(answer): return float(K.get())",
    "thread": "import threading\nK = threading.local()\nK.v = 1\ndef F(answer): return float(K.v)",
    "module": "import types\nK = types.ModuleType('made')\nK.v = 1\ndef F(answer): return float(K.v)",
    "key": "K = functools.cmp_to_key(lambda a, b: -1)\ndef F(answer): return float(K(1) < K(2))",
}


def named(script: str, monkeypatch: pytest.MonkeyPatch) -> str:
    main = types.ModuleType("__main__")
    main.__dict__.update(functools=functools, operator=operator, re=re)
    monkeypatch.setitem(sys.modules, "__main__", main)
    exec(compile(script, "script", "exec"), main.__dict__)
    return identity_of(main.__dict__["F"])


@pytest.mark.parametrize("case", CHANGED)
def test_another_value_is_another_function(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    script, one, other = CHANGED[case]
    first, again, second = (named(script % ((value,) * script.count("%s")), monkeypatch) for value in (one, one, other))
    assert first == again != second


@pytest.mark.parametrize("case", HIDDEN)
def test_what_shows_nothing_is_refused(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match=r"it uses K, a |globals"):
        named(HIDDEN[case], monkeypatch)
