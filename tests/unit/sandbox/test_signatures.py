"""The sandbox's own signatures against the vectors that providers publish."""

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from services.sandbox.domain import dada, ishansong, kuaidi100, rsa2


def test_dada_signs_as_its_published_vector() -> None:
    envelope = {
        "app_key": "123456",
        "body": '{"order_id":"20170301000001"}',
        "format": "json",
        "source_id": "73753",
        "timestamp": "1488363493",
        "v": "1.0",
    }
    assert dada.signature(envelope, "abcdefg123") == "71CEE2D6544277940D8C72979E71D0E1"


def test_dada_callbacks_carry_the_checksum_of_their_sorted_values() -> None:
    checksum = dada.callback_checksum("300000000001", "DSP2601010001A1", 1767225600)
    assert checksum == "1aec642a0e827b73c7fbad385d4d3029"


def test_kuaidi100_signs_an_order_request_as_derived_from_its_rule() -> None:
    param = '{"taskId":"9FC293CA417E431F33046E64F4C4EC20","orderId":"20066771","cancelMsg":"内部测试单"}'
    signature = kuaidi100.order_signature(param, "1576123932000", "testkey", "testsecret")
    assert signature == "2F178A2A8CD966A221A6AF3912128543"


def test_rsa2_signs_sorted_pairs_and_leaves_empty_values_out() -> None:
    params = {"b": "2", "a": "1", "empty": "", "sign": "x", "sign_type": "RSA2"}
    assert rsa2.content_to_sign(params) == "a=1&b=2&sign_type=RSA2"
    assert rsa2.content_to_sign(params, frozenset({"sign", "sign_type"})) == "a=1&b=2"


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def test_a_forged_or_broken_signature_is_not_genuine(key: rsa.RSAPrivateKey) -> None:
    signature = rsa2.sign("a=中", key)
    assert rsa2.is_genuine("a=中", signature, key.public_key())
    assert not rsa2.is_genuine("a=文", signature, key.public_key())
    assert not rsa2.is_genuine("a=中", rsa2.forge(signature), key.public_key())
    assert not rsa2.is_genuine("a=中", "not base64 !", key.public_key())


def test_ishansong_signs_as_others_compute_it() -> None:
    fields = {"clientId": "cid-1", "shopId": "shop-9", "timestamp": "1700000000000", "data": '{"a":1}', "sign": "x"}
    assert ishansong.signature("secret-1", fields) == "683042FE4702409D69A75ABB10D43409"
    assert ishansong.signature("secret-1", {**fields, "data": ""}) != "683042FE4702409D69A75ABB10D43409"
