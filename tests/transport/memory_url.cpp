#include <leveret/transport/memory/url.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>

using leveret::memory::parse_url;

namespace {

/// "broker|vhost", or what is wrong.
std::string read(std::string_view text)
{
    const auto r = parse_url(text);
    return r ? r.value().broker() + "|" + r.value().vhost() : r.message();
}
bool says(std::string_view text, std::string_view what)
{
    const auto r = parse_url(text);
    return !r && r.message().find(what) != std::string::npos;
}

} // namespace

TEST_CASE("memory URL: names and virtual hosts")
{
    CHECK(read("memory://demo") == "demo|/");
    CHECK(read("memory://demo/") == "demo|/");
    CHECK(read("memory://demo/staging") == "demo|staging");
    CHECK(read("memory://demo/%2F") == "demo|/");
    CHECK(read("memory://demo/a%2Fb") == "demo|a/b");
    CHECK(read("memory://a-b.c_d~1") == "a-b.c_d~1|/");
    CHECK(read("memory://a%20b%3a") == "a b:|/");
    CHECK(read("memory://Demo") == "Demo|/");
    CHECK(read("memory://demo?") == "demo|/");
    CHECK(read("memory://demo/x?") == "demo|x");
    CHECK(read("memory://" + std::string(255, 'n')) == std::string(255, 'n') + "|/");
    CHECK(read("memory://n/" + std::string(255, 'v')) == "n|" + std::string(255, 'v'));
}

TEST_CASE("memory URL: what can't be, and where")
{
    CHECK(says("", "begin it so"));
    CHECK(says("amqp://demo", "begin it so"));
    CHECK(says("memory:/demo", "begin it so"));
    CHECK(says("memory://", "the broker's name must have"));
    CHECK(says("memory:///vhost", "the broker's name must have"));
    CHECK(says("memory://" + std::string(256, 'n'), "the broker's name must have"));
    CHECK(says("memory://n/" + std::string(256, 'v'), "the virtual host is longer"));
    CHECK(says("memory://" + std::string(9000, 'n'), "longer than 8192"));
    CHECK(says("memory://guest:guest@demo", "at offset 14: this byte may not stand there"));
    CHECK(says("memory://demo:5672", "at offset 13"));
    CHECK(says("memory://a b", "at offset 10"));
    CHECK(says("memory://a%2", "at offset 10: two hexadecimal digits"));
    CHECK(says("memory://a%zz", "two hexadecimal digits"));
    CHECK(says("memory://a%00", "not 00"));
    CHECK(says("memory://demo/a/b", "at offset 15: the path has a second '/'"));
    CHECK(says("memory://demo?heartbeat=10", "at offset 14: this query parameter is unknown"));
    CHECK(says("memory://demo/v?x", "this query parameter is unknown"));
    for (const char* secret : {"memory://me:secret@demo", "memory://demo?password=secret", "memory://demo/secret/x"})
        CHECK_FALSE(says(secret, "secret"));
}
