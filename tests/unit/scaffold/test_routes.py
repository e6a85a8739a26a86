"""Which paths a program answers a GET on: prefixes, registrations, and what only looks like one."""

from __future__ import annotations

import pytest

from fsd.scaffold.modules import read_program
from fsd.scaffold.routes import find_routes

FASTAPI = "from fastapi import FastAPI, APIRouter\napp = FastAPI()\n"
ITEMS = "from fastapi import APIRouter\nrouter = APIRouter(prefix='/v1')\n"
HEALTH = "@router.get('/health')\ndef f(): ...\n"

SURE = {
    "router with a prefix": (
        {"main.py": FASTAPI + "from api import router\napp.include_router(router, prefix='/api')\n"}
        | {"api.py": ITEMS + HEALTH},
        "/api/v1/health",
    ),
    "router of a module": (
        {"app/main.py": FASTAPI + "from app.api import items\napp.include_router(items.router)\n"}
        | {"app/api/__init__.py": "", "app/api/items.py": ITEMS + HEALTH},
        "/v1/health",
    ),
    "relative import, prefix from the settings": (
        {
            "src/app/main.py": FASTAPI + "from .config import settings\nfrom .api import router\n"
            "app.include_router(router, prefix=settings.API_V1_STR)\n",
            "src/app/config.py": "class S:\n    API_V1_STR: str = '/api/v1'\nsettings = S()\n",
            "src/app/api.py": "from fastapi import APIRouter\nrouter = APIRouter()\n" + HEALTH,
        },
        "/api/v1/health",
    ),
    "routers in a loop": (
        {
            "main.py": FASTAPI + "from api import router as one\nROUTERS = [one]\n"
            "for each in ROUTERS:\n    app.include_router(each, prefix=f'/{1}')\n",
            "api.py": "from fastapi import APIRouter\nrouter = APIRouter()\n" + HEALTH,
        },
        "/1/health",
    ),
    "mounted application": (
        {"main.py": FASTAPI + "sub = FastAPI()\napp.mount('/sub', sub)\n@sub.get('/health')\n"
         "def f(): ...\n"},
        "/sub/health",
    ),
    "add_api_route": (
        {"main.py": FASTAPI + "app.add_api_route('/health', f, methods=['GET'])\n"},
        "/health",
    ),
    "Blueprint": (
        {"main.py": "from flask import Flask, Blueprint\nup = Blueprint('up', __name__, "
         "url_prefix='/up')\n@up.get('/')\ndef f(): ...\napp = Flask('x')\n"
         "app.register_blueprint(up)\n"},
        "/up/",
    ),
    "Blueprint whose prefix the registration replaces": (
        {"main.py": "from flask import Flask, Blueprint\nb = Blueprint('b', 'b', url_prefix='/b')\n"
         "@b.route('/health')\ndef f(): ...\ndef create_app():\n    app = Flask('x')\n"
         "    app.register_blueprint(b, url_prefix='/api')\n    return app\n"},
        "/api/health",
    ),
    "RESTX namespace": (
        {"main.py": "from flask import Flask\nfrom flask_restx import Api, Namespace, Resource\n"
         "app = Flask('x')\napi = Api(app, prefix='/api')\nns = Namespace('health')\n"
         "@ns.route('/')\nclass H(Resource): ...\napi.add_namespace(ns)\n"},
        "/api/health/",
    ),
    "RESTful resource": (
        {"main.py": "from flask import Flask\nfrom flask_restful import Api\napp = Flask('x')\n"
         "api = Api(app)\napi.add_resource(Health, '/healthz')\n"},
        "/healthz",
    ),
    "Litestar keyword": (
        {"app.py": "from litestar import Litestar, get\n@get(path='/health')\ndef h(): ...\n"
         "app = Litestar([h])\n"},
        "/health",
    ),
    "Litestar controller below a router": (
        {"app.py": "from litestar import Litestar, get, Router, Controller\n"
         "class Health(Controller):\n    path = '/health'\n    @get()\n    def h(self): ...\n"
         "r = Router(path='/api', route_handlers=[Health])\napp = Litestar(route_handlers=[r])\n"},
        "/api/health",
    ),
    "aiohttp": (
        {"app.py": "from aiohttp import web\napp = web.Application()\n"
         "app.add_routes([web.get('/health', h)])\n"},
        "/health",
    ),
    "aiohttp router": (
        {"app.py": "from aiohttp import web\napp = web.Application()\n"
         "app.router.add_get('/ping', h)\n"},
        "/ping",
    ),
    "aiohttp table": (
        {"app.py": "from aiohttp import web\nroutes = web.RouteTableDef()\n@routes.get('/health')\n"
         "def h(r): ...\napp = web.Application()\napp.add_routes(routes)\n"},
        "/health",
    ),
    "aiohttp sub-application": (
        {"app.py": "from aiohttp import web\napp = web.Application()\nsub = web.Application()\n"
         "sub.router.add_get('/health', h)\napp.add_subapp('/api', sub)\n"},
        "/api/health",
    ),
    "Starlette": (
        {"app.py": "from starlette.applications import Starlette\nfrom starlette.routing import "
         "Route, Mount\napp = Starlette(routes=[Mount('/api', routes=[Route('/health', h)])])\n"},
        "/api/health",
    ),
    "Tornado": (
        {"app.py": "import tornado.web\napp = tornado.web.Application([(r'/health', Health)])\n"},
        "/health",
    ),
    "Falcon": (
        {"app.py": "import falcon\napp = falcon.App()\napp.add_route('/health', Health())\n"},
        "/health",
    ),
    "Sanic blueprint": (
        {"app.py": "from sanic import Sanic, Blueprint\nb = Blueprint('b', url_prefix='/api')\n"
         "@b.get('/health')\ndef h(r): ...\napp = Sanic('x')\napp.blueprint(b)\n"},
        "/api/health",
    ),
    "Bottle": ({"app.py": "from bottle import get\n@get('/health')\ndef h(): ...\n"}, "/health"),
    "Django include": (
        {
            "shop/settings.py": "ROOT_URLCONF = 'shop.urls'\n",
            "shop/urls.py": "from django.urls import include, path\n"
            "urlpatterns = [path('api/', include('core.urls'))]\n",
            "core/urls.py": "from django.urls import path\nurlpatterns = [path('health/', view)]\n",
        },
        "/api/health/",
    ),
    "Django patterns that a condition chooses": (
        {
            "shop/urls.py": "from django.urls import include, path\n"
            "OURS = [path('api/', include('core.urls'))] if not STATIC else []\n"
            "urlpatterns = (*OURS, path('', include('home.urls')))\n",
            "core/urls.py": "from django.urls import path\nurlpatterns = [path('health/', view)]\n",
        },
        "/api/health/",
    ),
    "Django regular expression": (
        {"shop/urls.py": "from django.urls import re_path\n"
         "urlpatterns = [re_path(r'^healthz/$', view)]\n"},
        "/healthz/",
    ),
    "Django package": (
        {"shop/urls.py": "from django.urls import include, path\n"
         "urlpatterns = [path('ht/', include('health_check.urls'))]\n"},
        "/ht/",
    ),
    "Django REST router": (
        {"shop/urls.py": "from rest_framework.routers import DefaultRouter\n"
         "from django.urls import include, path\nr = DefaultRouter()\nr.register('health', V)\n"
         "urlpatterns = [path('api/', include(r.urls))]\n"},
        "/api/health/",
    ),
    "Django Ninja": (
        {"shop/urls.py": "from ninja import NinjaAPI\nfrom django.urls import path\n"
         "api = NinjaAPI()\n@api.get('/health')\ndef h(r): ...\n"
         "urlpatterns = [path('api/', api.urls)]\n"},
        "/api/health",
    ),
    "path of a request": ({"app.py": "if self.path == '/health': pass\n"}, "/health"),
}  # fmt: skip


ROUTER = "router = APIRouter()\n" + HEALTH
PREFIXES = [
    ("P = os.getenv('API_PREFIX', '/api')", "P", "/api/health"),
    ("P = os.environ.get('API_PREFIX') or '/api'", "f'{P}/v1'", "/api/v1/health"),
    ("P = os.getenv('API_PREFIX', '/api/')", "P.rstrip('/')", "/api/health"),
    ("P = os.getenv('API_PREFIX', 'api')", "'/{}/v1'.format(P)", "/api/v1/health"),
    ("P = os.getenv('API_PREFIX', 'api')", "'/%s/%s' % (P, 'v1')", "/api/v1/health"),
    ("env = Env()\nP = env.str('API_PREFIX', default='/api')", "P", "/api/health"),
    ("P = config('API_PREFIX', default='/api')", "P", "/api/health"),
    ("P = os.getenv('SET', '/api')", "P", "/set/health"),
    ("P = os.environ['SET']", "P", "/set/health"),
    ("P = env.str('SET', '/api')", "P", "/set/health"),
]


@pytest.mark.parametrize(("made", "prefix", "path"), PREFIXES)
def test_find_routes__prefix_from_the_environment__what_it_is_by_default(
    made: str, prefix: str, path: str
) -> None:
    source = f"import os\n{FASTAPI}{made}\n{ROUTER}app.include_router(router, prefix={prefix})\n"
    program = read_program({"main.py": source}, {"SET": "/set"})

    assert [(route.path, route.why) for route in find_routes(program)] == [(path, "")]


@pytest.mark.parametrize("name", SURE)
def test_find_routes__framework__whole_path(name: str) -> None:
    files, path = SURE[name]

    routes = find_routes(read_program(files))

    assert [(route.path, route.why) for route in routes] == [(path, "")]


NONE = [
    "import httpx\nclient = httpx.Client()\nclient.get('/health')\n",
    "open('/health')\n",
    "import responses\n@responses.get('/health')\ndef f(): ...\n",
    "from unittest.mock import patch\n@patch('/health')\ndef f(): ...\n",
    FASTAPI + "@app.post('/health')\ndef f(): ...\n",
    FASTAPI + "@app.route('/health', methods=['POST'])\ndef f(): ...\n",
    FASTAPI + "@app.get('/health/{id}')\ndef f(): ...\n",
    "cache.get('/health')\nself.client.get('/health')\nredis.set('/health', 1)\n",
]


@pytest.mark.parametrize("source", NONE)
def test_find_routes__what_only_looks_like_one__none(source: str) -> None:
    assert find_routes(read_program({"main.py": source})) == ()


@pytest.mark.parametrize(
    ("source", "why"),
    [
        (ITEMS + HEALTH, "nothing that was found includes `router`"),
        (
            FASTAPI + "router = APIRouter()\napp.include_router(router, prefix=make())\n" + HEALTH,
            "the code computes a part of `/…/health`",
        ),
    ],
)
def test_find_routes__prefix_not_known__says_so(source: str, why: str) -> None:
    (route,) = find_routes(read_program({"main.py": source}))

    assert route.why == why


@pytest.mark.parametrize(
    ("source", "is_closed"),
    [
        ("@app.get('/')\ndef f(): ...\n", False),
        ("@app.get('/')\n@login_required\ndef f(): ...\n", True),
        ("@app.get('/')\n@jwt_required()\ndef f(): ...\n", True),
        ("@app.get('/')\ndef f(user=Depends(get_current_user)): ...\n", True),
        ("@app.get('/')\ndef f(user: Annotated[User, Depends(auth.verify_token)]): ...\n", True),
        ("@app.get('/')\ndef f(db=Depends(get_db)): ...\n", False),
    ],
)
def test_find_routes__route_that_asks_who_calls__is_closed(source: str, is_closed: bool) -> None:
    (route,) = find_routes(read_program({"main.py": FASTAPI + source}))

    assert route.is_closed is is_closed
