"""The bytes of Session Manager's data channel."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsd_local.sessions.messages import (
    ChannelMessage,
    MalformedMessageError,
    MessageType,
    PayloadType,
    acknowledge,
    acknowledged_sequence,
    decode,
    encode,
    terminal_size,
    token_of,
)

MESSAGE = ChannelMessage(
    type=MessageType.OUTPUT,
    sequence=7,
    payload_type=PayloadType.OUTPUT,
    payload=b"hello",
    id=uuid.UUID("00112233-4455-6677-8899-aabbccddeeff"),
)


def test_encode__a_message__has_every_field_where_the_agent_has_it() -> None:
    content = encode(MESSAGE, created_at=1_700_000_000_000)

    assert content[0:4] == (116).to_bytes(4, "big")
    assert content[4:36] == b"output_stream_data".ljust(32)
    assert content[36:40] == (1).to_bytes(4, "big")
    assert content[40:48] == (1_700_000_000_000).to_bytes(8, "big")
    assert content[48:56] == (7).to_bytes(8, "big")
    assert content[56:64] == bytes(8)
    assert content[64:80] == bytes.fromhex("8899aabbccddeeff0011223344556677")
    assert content[80:112] == hashlib.sha256(b"hello").digest()
    assert content[112:116] == (1).to_bytes(4, "big")
    assert content[116:120] == (5).to_bytes(4, "big")
    assert content[120:] == b"hello"


@given(payload=st.binary(max_size=2000), sequence=st.integers(0, 2**40))
def test_decode__what_encode_made__is_the_same(payload: bytes, sequence: int) -> None:
    message = replace(MESSAGE, payload=payload, sequence=sequence)

    assert decode(encode(message, created_at=1)) == message


@given(content=st.binary(max_size=300))
def test_decode__any_bytes__are_refused_in_one_way(content: bytes) -> None:
    with pytest.raises(MalformedMessageError):
        decode(content)


@pytest.mark.parametrize("at", [4, 85, 117, 121])
def test_decode__a_byte_that_changed__is_refused_or_seen(at: int) -> None:
    content = bytearray(encode(MESSAGE, created_at=1))
    content[at] ^= 0x80

    with pytest.raises(MalformedMessageError):
        decode(bytes(content))


def test_acknowledge__a_message__names_its_number() -> None:
    answer = acknowledge(MESSAGE, new_id=uuid.uuid4())

    assert answer.type == MessageType.ACKNOWLEDGE
    assert acknowledged_sequence(answer) == 7


@pytest.mark.parametrize("payload", [b"", b"[]", b"null", b'{"cols": 0, "rows": 5}', b"\xff"])
def test_terminal_size__no_size__is_none(payload: bytes) -> None:
    assert terminal_size(payload) is None


def test_terminal_size__a_size__is_columns_and_rows() -> None:
    assert terminal_size(b'{"cols": 120, "rows": 40}') == (120, 40)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"TokenValue": 3}'])
def test_token_of__a_text_without_one__is_empty(text: str) -> None:
    assert token_of(text) == ""
