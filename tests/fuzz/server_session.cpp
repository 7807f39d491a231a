// Arbitrary bytes as what a client sends to a whole server: engine, session, broker. From the first byte on, or
// after the handshake. What the server says must be frames that a client can read; nothing may be allocated for
// what is merely announced; a client in another virtual host must not notice; and no split of the bytes may
// change what the engine makes of them.
#include "fuzz/watched.hpp"
#include "support/server_peer.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <string>
#include <string_view>

extern "C" void __sanitizer_malloc_hook(const volatile void*, std::size_t size)
{
    if (size > leveret::fuzz::largest_allocation)
        leveret::fuzz::largest_allocation = size;
}

namespace {

using namespace leveret;
using fuzz::require;

/// What the first octets of the input say.
struct plan {
    bool is_raw;        // from the first byte on, else after a handshake
    bool is_framed;     // the rest are records that are made frames of, else bytes
    bool is_compared;   // the engine alone, in one piece and byte by byte
    std::uint32_t seed; // of the pieces and of what happens between them; 0: nothing
};
constexpr std::size_t plan_size = 4;

/// Records of a control octet, a length and that many bytes, each in a frame that is right as a frame.
std::string framed(std::string_view records)
{
    constexpr auto ids = [] {
        std::array<wire::method_number, wire::all_methods::size> out{};
        std::size_t i = 0;
        wire::all_methods::for_each([&]<class Method>() { out[i++] = Method::id; });
        return out;
    }();
    std::string stream;
    while (records.size() >= 3) {
        const auto control = static_cast<unsigned char>(records[0]);
        const auto which = static_cast<unsigned char>(records[2]);
        std::size_t size = static_cast<unsigned char>(records[1]);
        records.remove_prefix(3);
        size = size < records.size() ? size : records.size();
        std::string payload(records.substr(0, size));
        records.remove_prefix(size);
        const unsigned type = control & 3U;
        const auto number = static_cast<std::uint16_t>((control >> 2U) & 3U);
        if (type == 1) {
            char head[4];
            wire::store_be(head, ids[which % ids.size()].value());
            payload.insert(0, head, sizeof head);
        } else if (type == 2 && payload.size() < 250) { // class, weight and size that can be right
            payload.insert(0,
                           std::string{0, 60, 0, 0, 0, 0, 0, 0, 0, 0, 0, static_cast<char>(which)});
        } else if (type == 3) {
            payload.resize(payload.size() + (control >> 4U) * 100U, 'x');
        }
        stream += test::raw_frame(type == 0 ? 8 : type, number, payload);
    }
    return stream;
}

/// What a client would read.
void check_output(std::string_view bytes)
{
    test::sent_frame f;
    while (!bytes.empty()) {
        const std::size_t n = test::front_frame(bytes, f);
        require(n != 0, "whole frames are written");
        bytes.remove_prefix(n);
        if (f.is_protocol_header)
            continue;
        wire::content_header h;
        if (f.type == wire::frame_type::header)
            require(wire::parse_content_header(f.payload, 64, h) == protocol_errc::none,
                    "headers are right");
        if (f.type != wire::frame_type::method)
            continue;
        const bool known = wire::all_methods::visit(f.method(), [&]<class Method>() {
            wire::reader in(f.payload.substr(4));
            static_cast<void>(wire::decode<Method>(in));
            require(in.ok(), "methods are right");
        });
        require(known, "methods are known");
    }
}

struct channel final : engine::server_channel {};

/// What the engine alone makes of the bytes: its events and output, in one text.
std::string trace(std::string_view stream, std::size_t piece)
{
    std::string text;
    engine::server_config config;
    config.limits.message_size = 100'000;
    std::deque<channel> channels;
    engine::server_connection c(config, instant(1));
    while (!stream.empty()) {
        const auto space = c.prepare();
        std::size_t n = stream.size() < space.size ? stream.size() : space.size;
        n = n < piece ? n : piece;
        std::memcpy(space.data, stream.data(), n);
        stream.remove_prefix(n);
        c.received(n);
        while (const engine::server_event* e = c.next_event()) {
            using kind = engine::server_event::kind;
            text += std::to_string(static_cast<int>(e->what)) + " ";
            switch (e->what) {
            case kind::login: c.accept_login(); break;
            case kind::opening: c.accept_open(); break;
            case kind::channel_opening:
                text += std::to_string(e->number);
                c.accept_channel(e->number, channels.emplace_back());
                break;
            case kind::channel_closing: c.finish_channel(*e->channel); break;
            case kind::too_large:
                c.close_channel(*e->channel, reply_code::precondition_failed, "", {});
                break;
            case kind::publish:
                text += std::string(e->exchange) + "/" + std::string(e->routing_key) + "/" +
                        std::string(e->body) + std::string(e->properties.encoded());
                break;
            case kind::method:
                text += std::to_string(e->method.value()) + std::string(e->arguments);
                break;
            case kind::closed: break;
            }
            text += "\n";
        }
    }
    c.output().for_each_piece([&](const char* data, std::size_t n) {
        text.append(data, n);
        return true;
    });
    return text;
}

std::string handshake()
{
    std::string all(wire::protocol_header);
    all += test::server_peer::start_ok(test::server_peer::capable());
    all += test::server_peer::tune_ok();
    all += test::frame(0, wire::connection::open{});
    for (std::uint16_t n = 1; n <= 2; ++n)
        all += test::frame(n, wire::channel::open{});
    return all;
}

void play(const plan& p, std::string_view stream)
{
    broker::options o;
    o.limits.message_bytes = 100'000;
    o.limits.memory_high = 4'000'000;
    o.limits.memory_low = 3'000'000;
    o.limits.queues = o.limits.exchanges = o.limits.bindings = 200;
    test::socketless_server server(o);
    server.configuration().limits.message_size = o.limits.message_bytes;
    server.bounds().output_bytes = 200'000;
    require(server.broker().add_virtual_host("other").is_ok(), "another virtual host");
    test::server_peer bystander(server);
    bystander.open(131072, 1, test::server_peer::capable(), "guest", "other");
    bystander.send(test::frame(1, wire::queue::declare{.queue = "b"}));
    static_cast<void>(bystander.take());

    fuzz::random_numbers random(p.seed + 1);
    {
        test::server_peer client(server);
        if (!p.is_raw)
            client.send(handshake());
        fuzz::largest_allocation = 0;
        while (!stream.empty()) {
            const std::size_t n = p.seed == 0
                                      ? stream.size()
                                      : 1 + random.below(random.below(3) == 0 ? stream.size() : 40);
            client.send(stream.substr(0, n));
            stream.remove_prefix(n < stream.size() ? n : stream.size());
            if (p.seed == 0)
                continue;
            switch (random.below(12)) {
            case 0: client.reads(false); break;
            case 1:
            case 2: client.reads(true); break;
            case 3:
                server.advance(duration::seconds(1));
                client.tick();
                break;
            case 4: check_output(client.take()); break;
            case 5:
                if (random.below(10) == 0)
                    client.hang_up();
                break;
            default: break;
            }
            require(client.engine.output().size() < 3'000'000, "output is bounded");
        }
        client.reads(true);
        check_output(client.take());
        require(fuzz::largest_allocation < 4'000'000,
                "nothing is allocated for what is merely announced");
    }
    bystander.send(test::frame(1, wire::queue::declare{.queue = "b", .passive = true}));
    require(bystander.take_text() == "1 queue.declare-ok queue=b\n", "others are not disturbed");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size < plan_size)
        return 0;
    const plan p{(data[0] & 1U) != 0, (data[0] & 2U) != 0, (data[0] & 4U) != 0,
                 static_cast<std::uint32_t>(data[1] | data[2] << 8 | data[3] << 16)};
    const std::string_view rest(reinterpret_cast<const char*>(data) + plan_size, size - plan_size);
    std::string stream = p.is_framed ? framed(rest) : std::string(rest);
    if (p.is_compared) {
        if (!p.is_raw)
            stream.insert(0, handshake());
        const std::string whole = trace(stream, stream.size());
        const std::string bytes = trace(stream, 1);
        if (whole != bytes)
            std::fprintf(stderr, "whole:\n%s\nbyte by byte:\n%s\n", whole.c_str(), bytes.c_str());
        require(whole == bytes, "no split changes what is said");
        return 0;
    }
    play(p, stream);
    return 0;
}
