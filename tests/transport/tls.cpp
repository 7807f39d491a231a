// TLS between the library's client and its server: who is trusted, who is named, what is refused and in which words.
#include "support/certificates.hpp"
#include "support/coro_test.hpp"
#include "support/outcome.hpp"

#include <leveret/connect.hpp>
#include <leveret/server.hpp>
#include <leveret/tls.hpp>

#include <asio/awaitable.hpp>
#include <asio/buffer.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>
#include <doctest/doctest.h>

#include <cstdint>
#include <exception>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace lv = leveret;
using lv::test::certificates;
using lv::test::outcome;
using lv::test::outcome_of;
using tls_server = lv::broker::basic_server<lv::tls::environment>;
using namespace std::chrono_literals;

namespace {

/// A server with a certificate for 127.0.0.1, which knows the user sensor, by password and by certificate.
struct place {
    explicit place(const asio::any_io_executor& executor, bool client_certificate_required = false)
    {
        files.sign("server", "the server", "IP:127.0.0.1,DNS:broker.example");
        files.sign("client", "sensor");
        files.sign("stranger", "nobody known");
        const std::string pem = files.pem("server"), key = files.key("server"), ca = files.pem("ca");
        credentials.emplace(lv::tls::credentials_options{.certificate_file = pem,
                                                         .key_file = key,
                                                         .client_ca_file = ca,
                                                         .client_certificate_required = client_certificate_required});
        users.add("sensor", "a secret").permit("sensor", "/", ".*", ".*", ".*");
        lv::broker::server_options o{.access = &users};
        o.connections.refusal_delay = 1ms;
        listening.emplace(lv::tls::environment(*credentials), executor, o);
    }
    [[nodiscard]] std::string url(std::string_view login = "sensor:a%20secret@", std::string_view host = "127.0.0.1") const
    {
        return "amqps://" + std::string(login) + std::string(host) + ":" + std::to_string(listening->port()) + "/";
    }
    [[nodiscard]] std::string trusting_url() const { return url() + "?cacertfile=" + files.pem("ca"); }

    certificates files;
    std::optional<lv::tls::server_credentials> credentials;
    lv::broker::users users;
    std::optional<tls_server> listening;
};

/// A server with a certificate for 127.0.0.1 and the user guest.
struct plain_place {
    plain_place(const asio::any_io_executor& executor, const lv::broker::connection_limits& limits)
    {
        files.sign("server", "the server", "IP:127.0.0.1");
        const std::string pem = files.pem("server"), key = files.key("server");
        const lv::tls::server_credentials credentials({.certificate_file = pem, .key_file = key});
        lv::broker::server_options o;
        o.connections = limits;
        listening.emplace(lv::tls::environment(credentials), executor, o);
    }
    certificates files;
    std::optional<tls_server> listening;
};

/// One who connects and says nothing.
asio::awaitable<asio::ip::tcp::socket> silent_client(const tls_server& s)
{
    asio::ip::tcp::socket silent(co_await asio::this_coro::executor);
    const asio::ip::tcp::endpoint end(asio::ip::address_v4::loopback(), s.port());
    co_await silent.async_connect(end, asio::use_awaitable);
    co_return silent;
}

/// Publishes and takes a message of `size` bytes.
asio::awaitable<void> use(lv::amqp::connection connection, std::size_t size = 5)
{
    auto channel = co_await connection.open_channel();
    co_await channel.declare_queue("q");
    const std::string body(size, 'x');
    co_await channel.publish("", "q", body);
    auto got = co_await channel.get("q");
    REQUIRE(got);
    CHECK(got->body() == body);
    got->ack();
    co_await connection.close();
}

asio::awaitable<outcome> connecting(std::string url, lv::tls::options o = {})
{
    return outcome_of(lv::tls::connect(url, o));
}

} // namespace

LEVERET_CORO_TEST_CASE("tls: a server whose certificate is trusted, and messages of all sizes")
{
    place p(co_await asio::this_coro::executor);
    const std::string ca = p.files.pem("ca"), url = p.url();
    const lv::tls::options o{.ca_file = ca};
    for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{16'384}, std::size_t{3'000'000}}) {
        auto connection = co_await lv::tls::connect(url, o);
        co_await use(std::move(connection), size);
    }
    const std::string trusting = p.trusting_url();
    auto by_url = co_await lv::tls::connect(trusting);
    co_await use(std::move(by_url));
    // Included once, the scheme is known to lv::connect as well.
    auto any = co_await lv::connect(trusting);
    auto channel = co_await any.open_channel();
    co_await channel.declare_queue("any");
    co_await any.close();
}

LEVERET_CORO_TEST_CASE("tls: a server that can't prove who it is")
{
    place p(co_await asio::this_coro::executor);
    const std::string ca = p.files.pem("ca");

    outcome o = co_await connecting(p.url()); // the system's authorities don't know it
    CHECK(o.what() == outcome::kind::connection);
    CHECK(o.words().find("the certificate is not accepted: ") != std::string::npos);
    CHECK(o.words().find("a secret") == std::string::npos);

    lv::tls::options named{.ca_file = ca, .server_name = "another.example"};
    o = co_await connecting(p.url(), named);
    CHECK(o.what() == outcome::kind::connection);
    CHECK(o.words().find("hostname mismatch") != std::string::npos);
    named.server_name = "broker.example";
    o = co_await connecting(p.url(), named);
    CHECK(o.ok());
    named.server_name = "127.0.0.2";
    o = co_await connecting(p.url(), named);
    CHECK(o.words().find("IP address mismatch") != std::string::npos);

    o = co_await connecting(p.url(), {.verify = false}); // who asks for it gets it
    CHECK(o.ok());
    o = co_await connecting(p.url() + "?verify=verify_none");
    CHECK(o.ok());
}

LEVERET_CORO_TEST_CASE("tls: EXTERNAL logs in by the client's certificate")
{
    place p(co_await asio::this_coro::executor);
    const std::string ca = p.files.pem("ca");
    const auto with = [&](const std::string& who) -> asio::awaitable<outcome> {
        const std::string url = p.url("") + "?auth_mechanism=EXTERNAL";
        const std::string pem = p.files.pem(who), key = p.files.key(who);
        lv::tls::options o{.ca_file = ca};
        if (!who.empty()) {
            o.certificate_file = pem;
            o.key_file = key;
        }
        co_return co_await outcome_of(lv::tls::connect(url, o));
    };
    outcome o = co_await with("client");
    CHECK(o.words() == "");
    o = co_await with("stranger"); // signed by the same authority, and no user
    CHECK(o.words().find("403") != std::string::npos);
    CHECK(o.words().find("Login was refused using authentication mechanism EXTERNAL") != std::string::npos);
    o = co_await with(""); // nobody offers it to one without a certificate
    CHECK_FALSE(o.ok());

    certificates others;
    others.sign("client", "sensor");
    const std::string url = p.url(), pem = others.pem("client"), key = others.key("client");
    o = co_await connecting(url, {.ca_file = ca, .certificate_file = pem, .key_file = key});
    CHECK(o.what() == outcome::kind::connection); // by an authority that the server does not know
    CHECK(p.listening->connection_count() <= 1);
}

LEVERET_CORO_TEST_CASE("tls: a server that takes nobody without a certificate")
{
    place p(co_await asio::this_coro::executor, true);
    const std::string ca = p.files.pem("ca"), url = p.url();
    const std::string pem = p.files.pem("stranger"), key = p.files.key("stranger");
    outcome o = co_await connecting(url, {.ca_file = ca});
    CHECK(o.what() == outcome::kind::connection);
    o = co_await connecting(url, {.ca_file = ca, .certificate_file = pem, .key_file = key}); // and its password
    CHECK(o.words() == "");
}

LEVERET_CORO_TEST_CASE("tls: certificates that are read again")
{
    place p(co_await asio::this_coro::executor);
    const std::string ca = p.files.pem("ca"), url = p.url();
    const lv::tls::options trusting{.ca_file = ca};
    auto before = co_await lv::tls::connect(url, trusting);
    p.files.sign("server", "the server, elsewhere", "IP:127.0.0.9");
    auto old = co_await connecting(url, trusting);
    CHECK(old.ok());
    p.credentials->reload();
    const auto fresh = co_await connecting(url, trusting);
    CHECK(fresh.words().find("IP address mismatch") != std::string::npos);
    co_await use(std::move(before)); // who was there goes on

    std::filesystem::remove(p.files.key("server"));
    CHECK_THROWS_WITH_AS(p.credentials->reload(), doctest::Contains("the key file '"), lv::usage_error);
    const auto kept = co_await connecting(url, trusting);
    CHECK(kept.words() == fresh.words());
}

LEVERET_CORO_TEST_CASE("tls: one server listens with it and without")
{
    place p(co_await asio::this_coro::executor);
    const std::uint16_t plain = p.listening->listen("127.0.0.1", 0);
    CHECK(plain != p.listening->port());
    const std::string amqp = "amqp://sensor:a%20secret@127.0.0.1:" + std::to_string(plain) + "/";
    const std::string amqps = p.trusting_url();
    auto in_the_clear = co_await lv::amqp::connect(amqp);
    auto channel = co_await in_the_clear.open_channel();
    co_await channel.declare_queue("both");
    auto secured = co_await lv::tls::connect(amqps);
    auto other = co_await secured.open_channel();
    co_await other.publish("", "both", "one broker");
    auto got = co_await channel.get("both");
    while (!got)
        got = co_await channel.get("both");
    CHECK(got->body() == "one broker");
    got->ack();
    CHECK_THROWS_WITH_AS(p.listening->listen("127.0.0.1", plain), doctest::Contains("can't listen"), lv::connection_error);
    co_await secured.close();
    co_await in_the_clear.close();
}

LEVERET_CORO_TEST_CASE("tls: each other's protocol, and none at all")
{
    place p(co_await asio::this_coro::executor);
    const std::uint16_t plain = p.listening->listen("127.0.0.1", 0);
    // AMQP in the clear where TLS is spoken, and the reverse.
    const std::string amqp = "amqp://sensor:a%20secret@127.0.0.1:" + std::to_string(p.listening->port()) + "/";
    outcome o = co_await outcome_of(lv::amqp::connect(amqp, {.handshake_timeout = 5s}));
    CHECK(o.what() == outcome::kind::connection);
    const std::string amqps = "amqps://sensor:a%20secret@127.0.0.1:" + std::to_string(plain) + "/";
    o = co_await connecting(amqps, {.verify = false});
    CHECK(o.what() == outcome::kind::connection);

    // One who connects and says nothing keeps nobody else out.
    auto silent = co_await silent_client(*p.listening);
    const std::string trusting = p.trusting_url();
    auto connection = co_await lv::tls::connect(trusting);
    co_await use(std::move(connection));
    // A record of TLS that is never complete, when the server ends.
    const std::string half("\x16\x03\x01\x02\x00\x01\x00", 7);
    co_await asio::async_write(silent, asio::buffer(half), asio::use_awaitable);
    const auto patience = lv::duration::milliseconds(50);
    co_await p.listening->stop(patience);
    CHECK(p.listening->connection_count() == 0);
}

LEVERET_CORO_TEST_CASE("tls: connections at rest, before their handshake and after it")
{
    lv::broker::connection_limits limits;
    limits.buffers_kept = 1ms;
    plain_place p(co_await asio::this_coro::executor, limits);
    auto silent = co_await silent_client(*p.listening);
    const std::string url =
        "amqps://127.0.0.1:" + std::to_string(p.listening->port()) + "/?cacertfile=" + p.files.pem("ca");
    auto connection = co_await lv::tls::connect(url);
    auto channel = co_await connection.open_channel();
    co_await channel.declare_queue("q");
    asio::steady_timer timer(co_await asio::this_coro::executor);
    for (int i = 0; i < 5; ++i) { // time in which nothing moves is what is tested here
        timer.expires_after(10ms);
        co_await timer.async_wait(asio::use_awaitable);
        const std::string body(static_cast<std::size_t>(i) * 20'000, 'x');
        co_await channel.publish("", "q", body);
        auto got = co_await channel.get("q");
        REQUIRE(got);
        CHECK(got->body() == body);
        got->ack();
    }
    co_await connection.close();
}

LEVERET_CORO_TEST_CASE("tls: a key with a password, which nobody is asked for")
{
    certificates files;
    files.sign("server", "the server", "IP:127.0.0.1");
    const std::string pem = files.pem("server"), key = files.key("server");
    files.encrypt("server", "open sesame");
    using credentials = lv::tls::server_credentials;
    CHECK_THROWS_WITH_AS(credentials({.certificate_file = pem, .key_file = key}), doctest::Contains("the key file '"),
                         lv::usage_error);
    CHECK_NOTHROW(credentials({.certificate_file = pem, .key_file = key, .key_password = "open sesame"}));
    co_return;
}

LEVERET_CORO_TEST_CASE("tls: a handshake that takes too long")
{
    lv::broker::connection_limits limits;
    limits.handshake_timeout = 50ms;
    plain_place p(co_await asio::this_coro::executor, limits);
    auto silent = co_await silent_client(*p.listening);
    char byte = 0;
    std::error_code ec;
    co_await silent.async_read_some(asio::buffer(&byte, 1), asio::redirect_error(asio::use_awaitable, ec));
    CHECK(ec);
    CHECK(p.listening->connection_count() == 0);
}

TEST_CASE("tls: files that can't be used are named")
{
    certificates files;
    files.sign("server", "the server");
    files.sign("other", "another");
    const std::string pem = files.pem("server"), key = files.key("server"), other = files.key("other");
    using credentials = lv::tls::server_credentials;
    CHECK_THROWS_WITH_AS(credentials({.certificate_file = "/none.pem", .key_file = key}),
                         doctest::Contains("tls: the certificate file '/none.pem' can't be used: "), lv::usage_error);
    CHECK_THROWS_WITH_AS(credentials({.certificate_file = pem, .key_file = pem}),
                         doctest::Contains(("tls: the key file '" + pem + "' can't be used: ").c_str()), lv::usage_error);
    CHECK_THROWS_WITH_AS(credentials({.certificate_file = pem, .key_file = other}), doctest::Contains("mismatch"),
                         lv::usage_error);
    CHECK_THROWS_WITH_AS(credentials({.certificate_file = pem, .key_file = key, .client_ca_file = "/none.pem"}),
                         doctest::Contains("tls: the file of certificate authorities '/none.pem'"), lv::usage_error);
    CHECK_THROWS_WITH_AS(
        credentials({.certificate_file = pem, .key_file = key, .client_certificate_required = true}),
        doctest::Contains("needs client_ca_file"), lv::usage_error);
    CHECK_THROWS_WITH_AS(lv::tls::client_context({.certificate_file = pem}), doctest::Contains("belong together"),
                         lv::usage_error);
    CHECK_THROWS_AS(static_cast<void>(lv::tls::connect("amqps://h/", {.ca_file = "/none.pem"})), lv::usage_error);
    CHECK_THROWS_AS(static_cast<void>(lv::tls::connect("amqps://h:x/")), lv::usage_error);
}

TEST_CASE("tls: the connection's context ends in the middle of everything")
{
    for (int turns = 0; turns < 40; ++turns) {
        asio::io_context context{1};
        place p(context.get_executor());
        const std::string url = p.trusting_url();
        const auto work = [&]() -> asio::awaitable<void> {
            auto connection = co_await lv::tls::connect(url);
            co_await use(std::move(connection), 100'000);
        };
        bool is_done = false;
        asio::co_spawn(context, work(), [&](const std::exception_ptr&) { is_done = true; });
        for (int i = 0; i < turns && !is_done; ++i)
            context.run_one();
        p.listening.reset();
    }
}

TEST_CASE("passwords: hashes, our own and RabbitMQ's")
{
    using lv::broker::hash_password;
    using lv::broker::verify_password;
    const std::string hash = hash_password("correct horse", 1000);
    CHECK(hash.starts_with("pbkdf2-sha256$1000$"));
    CHECK(hash_password("correct horse", 1000) != hash); // a salt of its own
    CHECK(verify_password("correct horse", hash));
    CHECK_FALSE(verify_password("correct horse ", hash));
    CHECK_FALSE(verify_password("", hash));
    CHECK(verify_password("", hash_password("", 1)));
    // From RabbitMQ's documentation: the password test12 with the salt 908D C60A.
    CHECK(verify_password("test12", "kI3GCqW5JLMJa4iX1lo7X4D6XbYqlLgxIs30+P6tENUV2POR"));
    CHECK_FALSE(verify_password("test13", "kI3GCqW5JLMJa4iX1lo7X4D6XbYqlLgxIs30+P6tENUV2POR"));
    for (const char* none : {"", "x", "====", "pbkdf2-sha256$", "pbkdf2-sha256$1", "pbkdf2-sha256$1$", "pbkdf2-sha256$1$$",
                             "pbkdf2-sha256$0$AAAA$AAAA", "pbkdf2-sha256$-1$AAAA$AAAA", "pbkdf2-sha256$4000000$AAAA$AAAA",
                             "pbkdf2-sha256$1x$AAAA$AAAA", "pbkdf2-sha256$99999999999$AAAA$AAAA", "AAAA", "plain text"})
        CHECK_FALSE(verify_password("", none));
    CHECK_THROWS_AS(static_cast<void>(hash_password("x", 0)), lv::usage_error);
    CHECK_THROWS_AS(static_cast<void>(hash_password("x", lv::broker::max_password_iterations + 1)), lv::usage_error);
    CHECK(lv::broker::is_password_hash(hash));
    CHECK(lv::broker::is_password_hash("kI3GCqW5JLMJa4iX1lo7X4D6XbYqlLgxIs30+P6tENUV2POR"));
    CHECK_FALSE(lv::broker::is_password_hash("secret"));
    CHECK_FALSE(lv::broker::is_password_hash(hash + "="));
    lv::broker::users users{&verify_password};
    users.add("sensor", hash);
    CHECK(users.can_log_in("sensor", "correct horse", false));
    CHECK_FALSE(users.can_log_in("sensor", hash, false));
}
