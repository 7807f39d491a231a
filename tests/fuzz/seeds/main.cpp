// Writes the seed corpora and dictionaries of the fuzz targets, out of real encodings: see make_seeds.
#include "support/amqp_frames.hpp"
#include "support/bytes.hpp"
#include "support/random_values.hpp"

#include <leveret/wire/method.hpp>

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace {

namespace fs = std::filesystem;
namespace wire = leveret::wire;
using namespace leveret::test;
using leveret::field_array;
using leveret::properties;
using leveret::table;

fs::path root;

void write(const fs::path& name, std::string_view bytes)
{
    fs::create_directories((root / name).parent_path());
    std::ofstream(root / name, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

table every_type()
{
    table t{{"t", true}, {"b", std::int8_t{-1}}, {"B", std::uint8_t{255}}, {"s", std::int16_t{-2}},
            {"u", std::uint16_t{3}}, {"I", -4}, {"i", 5U}, {"l", std::int64_t{-6}}, {"f", 1.5F},
            {"d", -2.5}, {"D", leveret::decimal{2, 314}}, {"S", "text"},
            {"x", leveret::byte_array("bytes")}, {"T", leveret::timestamp{1700000000}}, {"V", {}}};
    t.set("A", field_array{1, "a", {}, table{{"k", field_array{}}}});
    t.set("F", t);
    return t;
}

properties every_property()
{
    properties p;
    p.content_type("text/plain").content_encoding("gzip").headers(every_type()).delivery_mode(2).priority(5);
    p.correlation_id("id").reply_to("amq.rabbitmq.reply-to").expiration("1000").message_id("m");
    return p.timestamp({1700000000}).type("t").user_id("guest").app_id("app").cluster_id("");
}

std::string payload_of(std::string_view frame) { return std::string(frame.substr(7, frame.size() - 8)); }

void decoder_seeds()
{
    const fs::path at = "corpus/wire_decoder";
    random_values random(1);
    std::string plain;
    std::string filled;
    wire::all_methods::for_each([&]<class Method>() {
        plain += frame(1, Method{});
        method_filler filler(random);
        Method m;
        Method::fields(m, filler);
        filled += frame(2, m);
    });
    const std::string entries = wire::encode_table(every_type());
    wire::connection::start_ok start_ok;
    start_ok.client_properties = {entries};
    wire::queue::declare declare;
    declare.queue = "q";
    declare.durable = declare.no_wait = true;
    declare.arguments = {entries};
    const std::string header = header_frame(1, 5, every_property());
    std::string nested;
    for (int i = 0; i < 18; ++i)
        nested = "\1kF" + big_endian(nested.size(), 4) + nested;

    write(at / "methods", '\0' + plain);
    write(at / "methods-by-3", char{2 << 3} + plain);
    write(at / "methods-filled", '\4' + filled);
    write(at / "message", '\0' + delivery_frames(1, "c", 1, "hello", every_property()));
    write(at / "message-split", char{6 << 3} + delivery_frames(1, "c", 1, "hello", every_property()));
    write(at / "start-ok", '\1' + payload_of(frame(0, start_ok)));
    write(at / "declare", '\1' + payload_of(frame(1, declare)));
    write(at / "access", '\1' + payload_of(frame(1, wire::access::request{})));
    write(at / "header", '\2' + payload_of(header));
    write(at / "header-empty", '\2' + payload_of(header_frame(1, 0)));
    write(at / "table", '\3' + entries);
    write(at / "table-nested", '\3' + nested);
    write(at / "table-booleans", '\3' + bytes("01 'k' 't' 02 01 'A' 'A' 00000004 't' ff 't' 00"));
    write(at / "heartbeats", '\0' + std::string(wire::heartbeat_frame) + std::string(wire::heartbeat_frame));
    write(at / "wrong-end", '\0' + raw_frame(1, 1, "payload", 0xcd));
    write(at / "wrong-type", '\0' + raw_frame(99, 1, "payload"));
    write(at / "too-large", '\0' + bytes("01 0000 7fffffff"));
    write(at / "http", std::string(1, '\0') + "HTTP/1.1 400 Bad Request\r\n\r\n");
    write(at / "another-version", '\0' + bytes("'AMQP' 00 00 08 00"));
    write(at / "flags-without-end", '\2' + bytes("003c 0000 0000000000000005 ffff ffff ffff ffff"));
}

wire::basic::ack ack(std::uint64_t tag, bool multiple)
{
    wire::basic::ack m;
    m.delivery_tag = tag;
    m.multiple = multiple;
    return m;
}
wire::basic::nack nack(std::uint64_t tag, bool multiple)
{
    wire::basic::nack m;
    m.delivery_tag = tag;
    m.multiple = multiple;
    return m;
}

/// A delivery whose body comes in many frames.
std::string split_delivery(std::string_view tag, std::uint64_t number, std::string_view body)
{
    wire::basic::deliver m;
    m.consumer_tag = tag;
    m.delivery_tag = number;
    m.routing_key = "key";
    return frame(2, m) + content(2, body, {}, 3);
}

void client_seeds()
{
    const fs::path at = "corpus/client_engine";
    const auto plan = [](unsigned flags, unsigned seed) {
        return std::string{static_cast<char>(flags), static_cast<char>(seed), 0, 0};
    };
    const std::string raw = plan(1, 0);
    const std::string raw_compared = plan(5, 0);
    const std::string compared = plan(4, 0);
    const std::string busy = plan(0, 7);
    const std::string handshake =
        start_frame() + tune_frame(10, 4096, 5) + frame(0, wire::connection::open_ok{});

    // From the first byte on.
    write(at / "raw-handshake", raw_compared + handshake + std::string(wire::heartbeat_frame));
    write(at / "raw-busy", plan(1, 3) + handshake);
    write(at / "raw-refused", raw + start_frame() + connection_close_frame(403, "ACCESS_REFUSED - no"));
    write(at / "raw-http", raw + "HTTP/1.1 400 Bad Request\r\n\r\n");
    write(at / "raw-another-version", raw + bytes("'AMQP' 00 00 08 00"));
    write(at / "raw-no-mechanism", raw + start_frame("EXTERNAL GSSAPI"));
    write(at / "raw-small-frames", raw + start_frame() + tune_frame(0, 4095));
    write(at / "raw-challenge", raw + start_frame() + frame(0, wire::connection::secure{}));

    // To a connection with three channels: confirming, consuming, closing.
    std::string deliveries;
    for (std::uint64_t tag = 1; tag <= 12; ++tag)
        deliveries += delivery_frames(2, tag % 5 == 0 ? "d" : "c", tag, "hello");
    write(at / "deliveries", compared + deliveries);
    write(at / "deliveries-busy", busy + deliveries);
    std::string mixed;
    for (std::uint64_t tag = 1; tag <= 12; tag += 4)
        mixed += delivery_frames(2, "c", tag, "hello") + split_delivery("d", tag + 1, "0123456789") +
                 delivery_frames(2, "c", tag + 2, "hello") +
                 delivery_frames(2, "d", tag + 3, "hello", every_property());
    write(at / "deliveries-mixed", compared + mixed);
    write(at / "deliveries-mixed-busy", busy + mixed);
    write(at / "delivery-empty", compared + delivery_frames(2, "c", 1, "") + delivery_frames(2, "c", 2, ""));
    write(at / "delivery-large", busy + delivery_frames(2, "c", 1, std::string(12'000, 'x')));
    write(at / "delivery-huge", compared + frame(2, wire::basic::deliver{}) + header_frame(2, 1U << 20U) +
                                    body_frame(2, "a little of it"));
    write(at / "delivery-interleaved", compared + frame(2, wire::basic::deliver{}) + deliveries);
    write(at / "delivery-too-long", compared + frame(2, wire::basic::deliver{}) + header_frame(2, 3) +
                                        body_frame(2, "four"));
    write(at / "got", compared + get_ok_frames(2, 1, "hello") + delivery_frames(2, "c", 2, "hello"));
    write(at / "got-nothing", compared + frame(2, wire::basic::get_empty{}));
    wire::basic::consume_ok consume_ok;
    consume_ok.consumer_tag = "d";
    wire::queue::declare_ok declare_ok;
    declare_ok.queue = "q";
    const std::string answers = frame(2, wire::tx::select_ok{}) + frame(2, declare_ok) + frame(2, consume_ok) +
                                frame(1, wire::confirm::select_ok{}) + frame(3, wire::channel::close_ok{}) +
                                frame(0, wire::connection::update_secret_ok{});
    write(at / "answers", compared + answers + deliveries);
    write(at / "answers-busy", plan(0, 99) + answers + deliveries + answers);
    write(at / "confirms", compared + return_frames(1, "key", "body") + frame(1, ack(2, false)) +
                               frame(1, nack(4, true)) + frame(1, ack(0, true)));
    write(at / "confirms-busy", busy + return_frames(1, "key", "body") + frame(1, ack(6, true)));
    write(at / "return-unasked", compared + return_frames(2, "nowhere", "hello"));
    write(at / "channel-closed", compared + deliveries + channel_close_frame(2, 404, "NOT_FOUND - no") +
                                     channel_close_frame(1, 406, "no\n\x1b[31m") + deliveries);
    write(at / "connection-closed", compared + connection_close_frame(320, "CONNECTION_FORCED - bye"));
    wire::basic::cancel cancel;
    cancel.consumer_tag = "c";
    wire::connection::blocked blocked;
    blocked.reason = "low on memory";
    write(at / "extensions", compared + frame(2, cancel) + frame(2, wire::channel::flow{}) +
                                 frame(0, blocked) + frame(0, wire::connection::unblocked{}) +
                                 std::string(wire::heartbeat_frame));
    write(at / "unknown-channel", compared + frame(77, wire::channel::close_ok{}));
    write(at / "unknown-method", compared + raw_frame(1, 2, bytes("003c 00ff")));

    // Records that are made frames of: a delivery, its header, its body; a method by its place in the list.
    write(at / "framed", plan(6, 0) + bytes("09 0d 30 01 'c' 0000000000000001 00 00 01 'k'") +
                             bytes("0a 02 05 0000") + bytes("0b 05 00 'hello'") + bytes("00 00 00"));
    write(at / "framed-busy", plan(2, 11) + bytes("05 09 34 0000000000000001 00") + bytes("05 09 39") +
                                  bytes("0000000000000003 01"));
}

void dictionary(const char* name)
{
    std::string text = "# Made by make_seeds from the method table.\n";
    const auto add = [&](std::string_view bytes) {
        text += '"';
        for (const char c : bytes) {
            char octet[8];
            std::snprintf(octet, sizeof octet, "\\x%02x", static_cast<unsigned>(static_cast<unsigned char>(c)));
            text += octet;
        }
        text += "\"\n";
    };
    wire::all_methods::for_each([&]<class Method>() {
        text += "# " + std::string(Method::name) + "\n";
        add(big_endian(Method::id.value(), 4));
    });
    text += "# frames\n";
    for (const unsigned channel : {0U, 1U, 2U, 3U})
        for (const unsigned type : {1U, 2U, 3U, 8U})
            add(big_endian(type, 1) + big_endian(channel, 2));
    add("\xce");
    add(wire::heartbeat_frame);
    add(wire::protocol_header);
    text += "# field types, property flags, lengths\n";
    for (const char type : std::string_view("VtbBsuIilfdDSxTAF"))
        add({&type, 1});
    for (unsigned bit = 0; bit < 16; ++bit)
        add(big_endian(1U << bit, 2));
    for (const unsigned long long n : {0x7fffffffULL, 0x80000000ULL, 0xffffffffULL, 0xfffffff8ULL})
        add(big_endian(n, 4));
    for (const unsigned long long n : {1ULL << 63U, ~0ULL})
        add(big_endian(n, 8));
    text += "# names\n\"PLAIN\"\n\"AMQPLAIN\"\n\"EXTERNAL\"\n\"en_US\"\n\"c\"\n\"d\"\n\"key\"\n\"body\"\n";
    write(name, text);
}

/// A client's own half of a session, by the encoder. The octets in front: see server_session.cpp.
void server_seeds()
{
    const fs::path at = "corpus/server_session";
    const auto add = [&](const char* name, std::string_view stream) {
        const std::string text(name);
        write(at / text, std::string("\x00\0\0\0", 4) += stream);
        write(at / (text + "-busy"), std::string("\x00\x07\0\0", 4) += stream);
        write(at / (text + "-compared"), std::string("\x04\0\0\0", 4) += stream);
    };
    const std::string declare = frame(1, wire::queue::declare{.queue = "q"});
    const std::string publish = frame(1, wire::basic::publish{.routing_key = "q"});
    const std::string consume = frame(1, wire::basic::consume{.queue = "q", .consumer_tag = "c"});
    const std::string get = frame(1, wire::basic::get{.queue = "q"});
    add("publish", declare + publish + content(1, "body") + get + frame(1, wire::basic::ack{.delivery_tag = 1}));
    add("properties", declare + publish + content(1, "body", every_property()) + get);
    add("large", declare + publish + content(1, std::string(9000, 'x')) + consume);
    add("consume", declare + consume + publish + content(1, "1") + publish + content(1, "2") +
                       frame(1, wire::basic::nack{.delivery_tag = 1, .multiple = true, .requeue = true}) +
                       frame(1, wire::basic::cancel{.consumer_tag = "c"}));
    add("interleaved", declare + publish + header_frame(1, 2) + frame(2, wire::basic::publish{.routing_key = "q"}) +
                           header_frame(2, 2) + body_frame(1, "1") + body_frame(2, "1") + body_frame(1, "2") +
                           body_frame(2, "2"));
    add("confirms", declare + frame(1, wire::confirm::select{}) + publish + content(1, "1") + publish +
                        content(1, "2") + frame(1, wire::basic::publish{.routing_key = "none", .mandatory = true}) +
                        content(1, "3"));
    add("transaction", declare + frame(1, wire::tx::select{}) + publish + content(1, "1") +
                           frame(1, wire::tx::rollback{}) + publish + content(1, "1") + frame(1, wire::tx::commit{}));
    add("channel-error", get + publish + content(1, "ignored") + frame(1, wire::channel::close_ok{}) +
                             frame(1, wire::channel::open{}) + frame(1, wire::channel::close{.reply_code = 200}));
    add("connection-error", frame(7, wire::queue::declare{}) + frame(0, wire::connection::close_ok{}));
    add("closed", declare + frame(0, wire::connection::close{.reply_code = 200}));
    add("hostile-header", publish + raw_frame(2, 1, std::string("\0\x3c\0\0\x80\0\0\0\0\0\0\0\0\0", 14)));
    add("body-too-long", publish + header_frame(1, 1) + body_frame(1, "long"));
    add("secret", frame(0, wire::connection::update_secret{.new_secret = "s"}));
    wire::all_methods::for_each([&]<class Method>() {
        if (Method::id.class_id != wire::connection::close::id.class_id)
            add(std::string("method-" + std::string(Method::name)).c_str(), declare + frame(1, Method{}));
    });
    write(at / "raw-http", std::string("\x01\0\0\0", 4) + "GET / HTTP/1.1\r\n\r\n");
    write(at / "raw-handshake", std::string("\x01\0\0\0", 4) + std::string(wire::protocol_header) +
                                    frame(0, wire::connection::start_ok{.response = {{"\0guest\0guest", 12}}}) +
                                    frame(0, wire::connection::tune_ok{.channel_max = 10, .frame_max = 4096}) +
                                    frame(0, wire::connection::open{}) + frame(1, wire::channel::open{}));
}

} // namespace

int main(int argc, char** argv)
{
    if (argc != 2)
        return 2;
    root = argv[1];
    decoder_seeds();
    client_seeds();
    server_seeds();
    dictionary("wire_decoder.dict");
    dictionary("client_engine.dict");
    dictionary("server_session.dict");
}
