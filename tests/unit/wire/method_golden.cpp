// Bytes that other programs put on the wire. Those marked "pika" were made by pika 1.2.0, the others by
// hand from the specification (2.3.5 and 4.2.5).
#include "support/bytes.hpp"

#include <leveret/wire/frame.hpp>
#include <leveret/wire/method.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <string_view>

using namespace leveret::wire;
using leveret::test::bytes;
using leveret::test::hex;

namespace {

/// The frame is what the method becomes, and the method is what the frame becomes.
template <method Method>
void check_frame(std::uint16_t channel, const Method& m, std::string_view notation)
{
    const std::string golden = bytes(notation);
    CAPTURE(Method::name);
    std::string frame(frame_size(m), '?');
    writer out(frame.data(), frame.size());
    encode_frame(out, channel, m);
    CHECK(out.ok());
    CHECK(out.size() == frame.size());
    CHECK(hex(frame) == hex(golden));

    const frame_view parsed = parse_frame(golden, frame_min_size);
    REQUIRE(parsed.size == golden.size());
    CHECK(parsed.type == frame_type::method);
    CHECK(parsed.channel == channel);
    reader in(parsed.payload);
    CHECK(in.u16() == Method::id.class_id);
    CHECK(in.u16() == Method::id.method);
    CHECK(decode<Method>(in) == m);
    CHECK(in.ok());
}

} // namespace

TEST_CASE("wire: golden bytes of the handshake")
{
    connection::start_ok start_ok;
    const std::string properties =
        bytes("07 'product' 'S' 00000007 'leveret' 0c 'capabilities' 'F' 0000000d 0a 'basic.nack' 't' 01");
    const std::string response("\0guest\0guest", 12);
    start_ok.client_properties = {properties};
    start_ok.mechanism = "PLAIN";
    start_ok.response = std::string_view(response);
    start_ok.locale = "en_US";
    check_frame(0, start_ok, // pika
                "01000000000057000a000b000000330770726f6475637453000000076c6576657265740c63617061"
                "62696c6974696573460000000d0a62617369632e6e61636b740105504c41494e0000000c00677565"
                "737400677565737405656e5f5553ce");

    connection::tune_ok tune_ok;
    tune_ok.channel_max = 2047;
    tune_ok.frame_max = 131072;
    tune_ok.heartbeat = 60;
    check_frame(0, tune_ok, "0100000000000c000a001f07ff00020000003cce"); // pika

    check_frame(0, connection::open{}, "01000000000008000a0028012f0000ce"); // pika
    check_frame(0, connection::close_ok{}, "01 0000 00000004 000a 0033 ce");

    connection::start start;
    start.mechanisms = "PLAIN AMQPLAIN";
    check_frame(0, start,
                "01 0000 00000025 000a 000a 00 09 00000000 0000000e 'PLAIN AMQPLAIN' 00000005 'en_US' ce");

    connection::close close;
    close.reply_code = 404;
    close.reply_text = "NOT_FOUND - x";
    close.class_id = 50;
    close.method_id = 10;
    check_frame(0, close, "01000000000018000a003201940d4e4f545f464f554e44202d20780032000ace"); // pika
}

TEST_CASE("wire: golden bytes of what a channel does")
{
    check_frame(1, channel::open{}, "010001000000050014000a00ce"); // pika

    const std::string arguments = bytes("0c 'x-max-length' 'I' 0000000a");
    queue::declare declare;
    declare.queue = "tasks";
    declare.durable = true;
    declare.auto_delete = true;
    declare.arguments = {arguments};
    check_frame(1, declare, // pika
                "010001000000230032000a0000057461736b730a000000120c782d6d61782d6c656e677468490000000ace");

    basic::consume consume;
    consume.queue = "q";
    consume.consumer_tag = "c1";
    consume.no_ack = true;
    consume.exclusive = true;
    check_frame(2, consume, "01000200000010003c00140000017102633106 00000000ce"); // pika

    basic::publish publish;
    publish.exchange = "logs";
    publish.routing_key = "kern.critical";
    publish.mandatory = true;
    check_frame(258, publish, // pika
                "0101020000001a003c00280000046c6f67730d6b65726e2e637269746963616c01ce");

    basic::deliver deliver;
    deliver.consumer_tag = "ctag";
    deliver.delivery_tag = 0x0102030405060708;
    deliver.redelivered = true;
    deliver.exchange = "ex";
    deliver.routing_key = "rk";
    check_frame(1, deliver, // pika
                "01000100000018003c003c046374616701020304050607080102657802726bce");

    basic::get_ok get_ok;
    get_ok.delivery_tag = 1;
    get_ok.routing_key = "q";
    get_ok.message_count = 7;
    check_frame(1, get_ok, "01000100000014003c004700000000000000010000017100000007ce"); // pika

    basic::nack nack;
    nack.delivery_tag = 5;
    nack.multiple = true;
    nack.requeue = false;
    check_frame(1, nack, "0100010000000d003c0078000000000000000501ce"); // pika
}

TEST_CASE("wire: consecutive bits share an octet, the first in its lowest bit")
{
    check_frame(1, access::request{}, "0100010000000b001e000a052f646174611ece"); // pika

    exchange::declare declare; // pika
    declare.exchange = "logs";
    declare.type = "topic";
    declare.durable = true;
    declare.internal = true;
    declare.no_wait = true;
    check_frame(1, declare, "010001000000160028000a0000046c6f677305746f7069631a00000000ce");

    // Each bit by itself.
    struct row {
        bool basic::consume::*bit;
        const char* octet;
    };
    for (const row& item : {row{&basic::consume::no_local, "01"}, row{&basic::consume::no_ack, "02"},
                            row{&basic::consume::exclusive, "04"}, row{&basic::consume::no_wait, "08"}}) {
        basic::consume consume;
        consume.*item.bit = true;
        check_frame(1, consume,
                    std::string("01 0001 0000000d 003c 0014 0000 00 00 ") + item.octet + " 00000000 ce");
    }
}

TEST_CASE("wire: more than eight bits in a row take another octet")
{
    std::string memory(4, '?');
    writer out(memory.data(), memory.size());
    for (int i = 0; i < 8; ++i)
        out.put(i % 2 == 0);
    out.put(true);
    out.u8(7); // ends the run
    out.put(true);
    CHECK(out.ok());
    CHECK(hex(memory) == "55010701");

    reader in(memory);
    bool bit = false;
    for (int i = 0; i < 8; ++i) {
        in.take(bit);
        CHECK(bit == (i % 2 == 0));
    }
    in.take(bit);
    CHECK(bit);
    CHECK(in.u8() == 7);
    in.take(bit);
    CHECK(bit);
    in.take(bit);
    CHECK_FALSE(bit);
    CHECK(in.ok());
    CHECK(in.remaining() == 0);
}

TEST_CASE("wire: bits that the specification does not use are ignored")
{
    const std::string arguments = bytes("0000000000000005 fe");
    reader in(arguments);
    const auto ack = decode<basic::ack>(in);
    CHECK(in.ok());
    CHECK(ack.delivery_tag == 5);
    CHECK_FALSE(ack.multiple);
}
