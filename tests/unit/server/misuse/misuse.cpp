// Every case of tests/data/rabbitmq-misuse.jsonl: what RabbitMQ 3.10.8 answered, and whether we do the same.
#include "unit/server/misuse/misuse.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

using namespace leveret;
using namespace leveret::test;

namespace {

/// Where we do something else on purpose: the case, what we say, and how the connection ends.
struct difference {
    std::vector<std::string> got;
    std::string connection;
};
const std::map<std::string, difference, std::less<>> differences = {
    // Only 0-9-1 is spoken.
    {"handshake: AMQP 0-8 header", {{"protocol-header AMQP 0-0-9-1"}, "dropped"}},
    {"handshake: AMQP 0-9 header", {{"protocol-header AMQP 0-0-9-1"}, "dropped"}},
    // A client is told what is wrong.
    {"handshake: unknown SASL mechanism",
     {{"connection.close 403 ACCESS_REFUSED - Login was refused using authentication mechanism "
       "NOSUCH. For "
       "details see the broker logfile. [0.0]"},
      "closed by server"}},
    {"handshake: malformed PLAIN response",
     {{"connection.close 403 ACCESS_REFUSED - Login was refused using authentication mechanism "
       "PLAIN. For "
       "details see the broker logfile. [0.0]"},
      "closed by server"}},
    {"handshake: frame_max above the server value",
     {{"connection.close 530 NOT_ALLOWED - negotiated frame_max = 131073 is higher than the "
       "maximum allowed "
       "value (131072) [10.31]"},
      "closed by server"}},
    {"handshake: frame_max 0 (no limit)",
     {{"connection.close 530 NOT_ALLOWED - negotiated frame_max = 0 is higher than the maximum "
       "allowed value "
       "(131072) [10.31]"},
      "closed by server"}},
    {"handshake: frame_max below 4096",
     {{"connection.close 530 NOT_ALLOWED - negotiated frame_max = 4095 is lower than the minimum "
       "allowed value "
       "(4096) [10.31]"},
      "closed by server"}},
    {"handshake: channel_max 0 (no limit)",
     {{"connection.close 530 NOT_ALLOWED - negotiated channel_max = 0 is higher than the maximum "
       "allowed value "
       "(2047) [10.31]"},
      "closed by server"}},
    {"handshake: connection.open before tune-ok",
     {{"connection.close 504 CHANNEL_ERROR - unexpected method in connection state tuning [10.40]"},
      "closed by server"}},
    {"connection: unknown method 60.999",
     {{"connection.close 503 COMMAND_INVALID - unimplemented method [60.999]"},
      "closed by server"}},
    {"connection: argument table with unknown field type",
     {{"connection.close 501 FRAME_ERROR - cannot decode "
       "<<0,0,5,109,105,115,46,113,0,0,0,0,3,1,107,90>> "
       "[50.10]"},
      "closed by server"}},
    // Not waiting for content that makes no sense.
    {"connection: server-only method sent by client (basic.deliver)",
     {{"connection.close 503 COMMAND_INVALID - unimplemented method [60.60]"}, "closed by server"}},
    // Bit 0 would announce more flags: hostile.
    {"content: property flags with reserved low bits",
     {{"connection.close 501 FRAME_ERROR - cannot decode content header "
       "<<0,60,0,0,0,0,0,0,0,0,0,1,0,3>> [60.40]"},
      "closed by server"}},
    {"content: truncated properties",
     {{"connection.close 501 FRAME_ERROR - cannot decode content header "
       "<<0,60,0,0,0,0,0,0,0,0,0,0,128,0>> [60.40]"},
      "closed by server"}},
    // As RabbitMQ 4: docs/differences.md.
    {"exchange: unknown type",
     {{"channel.close(ch1) 406 PRECONDITION_FAILED - unknown exchange type 'nosuchtype' [40.10]"},
      "open"}},
    // The same, but for a bit that means nothing where there is but one.
    {"publish: to a queue with reject-publish when full, confirm mode",
     {{"queue.declare-ok(ch1) mis.q messages=0 consumers=0", "confirm.select-ok(ch1)",
       "basic.ack(ch1) tag=1 multiple=0", "basic.nack(ch1) tag=2 multiple=0"},
      "open"}},
};

std::string closed_text(std::uint16_t code, std::string_view text, wire::method_number id)
{
    return " " + std::to_string(code) + " " + std::string(text) + " [" +
           std::to_string(id.class_id) + "." + std::to_string(id.method) + "]";
}

/// The frame in the words of the file.
std::string words(const sent_frame& f)
{
    const std::string at = "(ch" + std::to_string(f.channel) + ")";
    const auto is = [&]<class Method>(const Method&) { return f.method() == Method::id; };
    if (f.is_protocol_header)
        return "protocol-header AMQP 0-0-9-1";
    if (f.type == wire::frame_type::header) {
        wire::content_header h;
        CHECK(wire::parse_content_header(f.payload, 64, h) == protocol_errc::none);
        return "header" + at + " " + std::to_string(h.body_size) + " bytes";
    }
    if (f.type == wire::frame_type::body)
        return "body" + at + " " + std::string(f.payload);
    if (is(wire::access::request_ok{}))
        return "30.11" + at;
    if (is(wire::connection::close{})) {
        const auto m = f.as<wire::connection::close>();
        return "connection.close" +
               closed_text(m.reply_code, m.reply_text, {m.class_id, m.method_id});
    }
    if (is(wire::connection::tune{})) {
        const auto m = f.as<wire::connection::tune>();
        return "connection.tune channel_max=" + std::to_string(m.channel_max) +
               " frame_max=" + std::to_string(m.frame_max) +
               " heartbeat=" + std::to_string(m.heartbeat);
    }
    const std::string name = std::string(wire::all_methods::name(f.method()));
    if (is(wire::connection::start{}))
        return name;
    const std::string head = name + at;
    if (is(wire::channel::close{})) {
        const auto m = f.as<wire::channel::close>();
        return head + closed_text(m.reply_code, m.reply_text, {m.class_id, m.method_id});
    }
    if (is(wire::channel::flow_ok{}))
        return head + " active=" + std::to_string(f.as<wire::channel::flow_ok>().active);
    if (is(wire::queue::declare_ok{})) {
        const auto m = f.as<wire::queue::declare_ok>();
        return head + " " + std::string(m.queue) + " messages=" + std::to_string(m.message_count) +
               " consumers=" + std::to_string(m.consumer_count);
    }
    if (is(wire::queue::delete_ok{}))
        return head + " messages=" + std::to_string(f.as<wire::queue::delete_ok>().message_count);
    if (is(wire::basic::consume_ok{}))
        return head + " " + std::string(f.as<wire::basic::consume_ok>().consumer_tag);
    if (is(wire::basic::cancel_ok{}))
        return head + " " + std::string(f.as<wire::basic::cancel_ok>().consumer_tag);
    if (is(wire::basic::cancel{}))
        return head + " " + std::string(f.as<wire::basic::cancel>().consumer_tag);
    if (is(wire::basic::ack{})) {
        const auto m = f.as<wire::basic::ack>();
        return head + " tag=" + std::to_string(m.delivery_tag) +
               " multiple=" + std::to_string(m.multiple);
    }
    if (is(wire::basic::nack{})) {
        const auto m = f.as<wire::basic::nack>();
        return head + " tag=" + std::to_string(m.delivery_tag) +
               " multiple=" + std::to_string(m.multiple);
    }
    if (is(wire::basic::return_{})) {
        const auto m = f.as<wire::basic::return_>();
        return head + " " + std::to_string(m.reply_code) + " " + std::string(m.reply_text) +
               " ex=" + std::string(m.exchange) + " rk=" + std::string(m.routing_key);
    }
    if (is(wire::basic::get_ok{})) {
        const auto m = f.as<wire::basic::get_ok>();
        return head + " tag=" + std::to_string(m.delivery_tag) +
               " redelivered=" + std::to_string(m.redelivered) + " ex=" + std::string(m.exchange) +
               " rk=" + std::string(m.routing_key) + " count=" + std::to_string(m.message_count);
    }
    return head;
}

/// A * at the end of what is expected stands for anything.
bool same(std::string_view expected, std::string_view got)
{
    return expected == got ||
           (expected.ends_with('*') && got.starts_with(expected.substr(0, expected.size() - 1)));
}

std::string joined(const std::vector<std::string>& lines)
{
    std::string all;
    for (const std::string& line : lines)
        all += line + "\n";
    return all;
}

void check_case(const std::string& name, const std::function<void(misuse&)>& act,
                const difference& expected)
{
    misuse m;
    act(m);
    std::vector<std::string> got;
    sent_frame f;
    for (std::string_view rest = m.said; !rest.empty();) {
        const std::size_t n = front_frame(rest, f);
        REQUIRE(n != 0);
        got.push_back(words(f));
        rest.remove_prefix(n);
    }
    const bool was_closing =
        m.client.engine.current_state() == engine::server_connection::state::closing;
    const std::string connection = m.client.engine.is_closed() ? "dropped"
                                   : was_closing               ? "closed by server"
                                                               : "open";
    INFO(name);
    bool all_same = got.size() == expected.got.size();
    for (std::size_t i = 0; all_same && i < got.size(); ++i)
        all_same = same(expected.got[i], got[i]);
    if (!all_same)
        CHECK(joined(got) == joined(expected.got));
    CHECK(connection == expected.connection);
    m.client.hang_up();
}

std::filesystem::path data_file()
{
    namespace fs = std::filesystem;
    const fs::path here(
        __FILE__); // relative to the build directory, where this program is in tests/
    const fs::path source =
        here.is_absolute() ? here
                           : fs::read_symlink("/proc/self/exe").parent_path().parent_path() / here;
    return (source.parent_path() / "../../../data/rabbitmq-misuse.jsonl").lexically_normal();
}

} // namespace

TEST_CASE("misuse is answered as RabbitMQ answers it")
{
    misuse_cases all;
    add_connection_cases(all);
    add_queue_cases(all);
    add_message_cases(all);
    std::ifstream file(data_file());
    REQUIRE(file.good());
    std::size_t seen = 0;
    for (std::string line; std::getline(file, line);) {
        const auto entry = nlohmann::json::parse(line);
        const std::string name = entry["case"];
        difference expected{{}, entry["conn"]};
        for (const std::string text : entry["got"])
            if (!text.starts_with("(socket closed"))
                expected.got.push_back(text);
        if (expected.connection == "open?")
            expected.connection = "open";
        if (const auto ours = differences.find(name); ours != differences.end())
            expected = ours->second;
        const auto act = all.find(name);
        REQUIRE_MESSAGE(act != all.end(), name);
        check_case(name, act->second, expected);
        ++seen;
    }
    CHECK(seen == all.size()); // none that is not in the file
}
