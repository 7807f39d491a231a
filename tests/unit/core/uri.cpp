#include <leveret/core/uri.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace lv = leveret;
using lv::parse_uri;
using lv::uri_errc;

namespace {

lv::uri parsed(std::string_view text)
{
    CAPTURE(text);
    auto result = parse_uri(text);
    CAPTURE(result.message());
    REQUIRE(result);
    return result.value;
}

std::string hosts_of(const lv::uri& value)
{
    std::string out;
    for (const auto& item : value.hosts) out += item.host + " " + std::to_string(item.port) + ";";
    return out;
}

// The two printed forms of a value, checked against each other and against the parser.
void check_forms(const lv::uri& value)
{
    const auto full = lv::to_string_revealing_password(value);
    const auto masked = lv::to_string(value);
    CAPTURE(masked);
    const auto again = parse_uri(full);
    CHECK(again);
    CHECK(again.value == value);
    CHECK(lv::to_string_revealing_password(again.value) == full);

    auto other = value;
    other.password = "something else";
    CHECK(lv::to_string(other) == masked);
    const auto read = parse_uri(masked);
    CHECK(read);
    other.password = "***";
    CHECK(read.value == other);
}

struct refused {
    std::string text;
    uri_errc error;
    std::size_t offset;
};

void check_refused(const std::vector<refused>& cases)
{
    for (const auto& item : cases) {
        CAPTURE(item.text);
        const auto result = parse_uri(item.text);
        CAPTURE(result.message());
        CHECK_FALSE(result);
        CHECK(static_cast<int>(result.error) == static_cast<int>(item.error));
        CHECK(result.offset == item.offset);
        CHECK(result.value.hosts.empty());
        CHECK(result.message().find("at offset " + std::to_string(item.offset)) !=
              std::string::npos);
    }
}

} // namespace

static_assert(lv::default_port(lv::uri_scheme::amqp) == 5672);
static_assert(lv::default_port(lv::uri_scheme::amqps) == 5671);
// The safe shape of what users write in a co_await expression (g++ 12).
static_assert(!std::is_aggregate_v<lv::uri> && !std::is_aggregate_v<lv::uri_result>);

TEST_CASE("uri: the examples of the RabbitMQ URI specification, appendix A")
{
    // Absent components hold our defaults; the marked rows are where we deviate.
    struct row {
        std::string_view text, user, password, host;
        std::uint16_t port;
        std::string_view vhost;
    };
    const row rows[] = {
        {"amqp://user:pass@host:10000/vhost", "user", "pass", "host", 10000, "vhost"},
        {"amqp://user%61:%61pass@ho%61st:10000/v%2fhost", "usera", "apass", "hoast", 10000,
         "v/host"},
        {"amqp://", "guest", "guest", "localhost", 5672, "/"},
        {"amqp://:@/", "", "", "localhost", 5672, "/"}, // lone slash
        {"amqp://user@", "user", "guest", "localhost", 5672, "/"},
        {"amqp://user:pass@", "user", "pass", "localhost", 5672, "/"},
        {"amqp://host", "guest", "guest", "host", 5672, "/"},
        {"amqp://:10000", "guest", "guest", "localhost", 10000, "/"},
        {"amqp:///vhost", "guest", "guest", "localhost", 5672, "vhost"},
        {"amqp://host/", "guest", "guest", "host", 5672, "/"}, // lone slash
        {"amqp://host/%2f", "guest", "guest", "host", 5672, "/"},
        {"amqp://[::1]", "guest", "guest", "::1", 5672, "/"},
    };
    for (const auto& item : rows) {
        for (const bool is_tls : {false, true}) {
            std::string text{item.text};
            if (is_tls) text.insert(4, 1, 's');
            CAPTURE(text);
            const auto value = parsed(text);
            CHECK(value.scheme == (is_tls ? lv::uri_scheme::amqps : lv::uri_scheme::amqp));
            CHECK(value.user == item.user);
            CHECK(value.password == item.password);
            REQUIRE(value.hosts.size() == 1);
            CHECK(value.hosts[0].host == item.host);
            CHECK(value.hosts[0].port == (is_tls && item.port == 5672 ? 5671 : item.port));
            CHECK(value.vhost == item.vhost);
            check_forms(value);
        }
    }
}

TEST_CASE("uri: the README's URI, and the default value")
{
    const auto value = parsed("amqp://guest:guest@localhost/");
    CHECK(value == lv::uri{});
    CHECK(value == parsed("amqp://"));
    CHECK(value == parsed("AmQp://localhost:5672/%2F"));
    CHECK(lv::to_string(value) == "amqp://guest:***@localhost:5672/%2F");
    CHECK(lv::to_string_revealing_password(value) == "amqp://guest:guest@localhost:5672/%2F");
}

TEST_CASE("uri: the empty virtual host has a name")
{
    for (const auto* text :
         {"amqp://h?vhost=", "amqp://h/?vhost=", "amqp://h/?heartbeat=1&vhost="}) {
        const auto value = parsed(text);
        CHECK(value.vhost.empty());
        check_forms(value);
    }
    check_refused({
        {"amqp://h/?vhost=v", uri_errc::bad_value, 10},
        {"amqp://h/?vhost", uri_errc::bad_value, 10},
        {"amqp://h/v?vhost=", uri_errc::bad_value, 11},
        {"amqp://h/%2F?vhost=", uri_errc::bad_value, 13},
        {"amqp://h/?vhost=&vhost=", uri_errc::duplicate_parameter, 17},
    });
}

TEST_CASE("uri: several hosts")
{
    const auto value = parsed("amqp://u:p@h1:5672,h2,[::1]:5673/vhost");
    CHECK(hosts_of(value) == "h1 5672;h2 5672;::1 5673;");
    CHECK(value.user == "u");
    CHECK(value.vhost == "vhost");
    check_forms(value);
    CHECK(lv::to_string(value) == "amqp://u:***@h1:5672,h2:5672,[::1]:5673/vhost");

    CHECK(hosts_of(parsed("amqps://a,b:1,c")) == "a 5671;b 1;c 5671;");
    CHECK(hosts_of(parsed("amqp://:1,:2")) == "localhost 1;localhost 2;");
    CHECK(hosts_of(parsed("amqp://u,v:p,q@h")) == "h 5672;");

    std::string many{"amqp://h"};
    for (std::size_t i = 1; i < lv::max_uri_hosts; ++i) many += ",h";
    CHECK(parsed(many).hosts.size() == lv::max_uri_hosts);
    const auto size = many.size();
    check_refused({
        {"amqp://a,,b", uri_errc::empty_host, 9},
        {"amqp://,", uri_errc::empty_host, 7},
        {"amqp://a,", uri_errc::empty_host, 9},
        {"amqp://,a/v", uri_errc::empty_host, 7},
        {"amqp://u:p@a,u:p@b", uri_errc::unescaped_delimiter, 16},
        {many + ",h", uri_errc::too_many_hosts, size + 1},
    });
}

TEST_CASE("uri: host names and addresses")
{
    CHECK(hosts_of(parsed("amqp://my_host-1.Example.org.:1")) == "my_host-1.Example.org. 1;");
    CHECK(hosts_of(parsed("amqp://10.0.0.255")) == "10.0.0.255 5672;");
    const std::string longest(lv::max_uri_host_length, 'a');
    CHECK(parsed("amqp://" + longest).hosts[0].host == longest);
    check_refused({
        {"amqp://" + longest + "a", uri_errc::bad_host, 7},
        {"amqp://ho%20st", uri_errc::bad_host, 7},
        {"amqp://ho%0Ast", uri_errc::bad_host, 7},
        {"amqp://u@h,ho~st", uri_errc::bad_host, 11},
        {"amqp://h%C3%B6st", uri_errc::bad_host, 7},
        {"amqp://h%2Fv", uri_errc::bad_host, 7},
        {"amqp://h%3A5672", uri_errc::bad_host, 7},
        {"amqp://h%00", uri_errc::null_byte, 8},
        {"amqp://h%0", uri_errc::bad_escape, 8},
        {"amqp://h%/v", uri_errc::bad_escape, 8},
        {"amqp://::1", uri_errc::bad_host, 7},
        {"amqp://fe80::1:5672/", uri_errc::bad_host, 7},
        {"amqp://h[::1]", uri_errc::bad_character, 8},
        {"amqp://h[1]", uri_errc::bad_character, 8},
    });

    for (const auto* good :
         {"::", "::1", "1::", "fe80::1", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8",
          "1::3:4:5:6:7:8", "ABCD:ef01::", "::ffff:192.0.2.1", "1:2:3:4:5:6:1.2.3.4",
          "1::5:1.2.3.4", "::1:2:3:4:5:1.2.3.4"}) {
        CAPTURE(good);
        const auto value = parsed(std::string{"amqp://["} + good + "]:1/v");
        CHECK(hosts_of(value) == std::string{good} + " 1;");
        check_forms(value);
    }
    for (const auto* bad :
         {"", ":", ":::", ":1", "1:", "1", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8:",
          "1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8", "1::2::3", "12345::", "g::", "1.2.3.4",
          "::1.2.3", "::1.2.3.4.5", "::1.2.3.256", "::01.2.3.4", "::1.2.3.", "::1.2.3.4:5",
          "1:2:3:4:5:6:7:1.2.3.4", "::1:2:3:4:5:6:1.2.3.4", "v1.x", "::1/64", "::1 "}) {
        CAPTURE(bad);
        CHECK_FALSE(parse_uri(std::string{"amqp://["} + bad + "]/"));
    }

    const auto zoned = parsed("amqp://[fe80::1%25eth0.1]:1");
    CHECK(zoned.hosts[0].host == "fe80::1%eth0.1");
    check_forms(zoned);
    CHECK(lv::to_string(zoned) == "amqp://guest:***@[fe80::1%25eth0.1]:1/%2F");
    check_refused({
        {"amqp://[fe80::1%eth0]", uri_errc::bad_escape, 15},
        {"amqp://[fe80::1%25]", uri_errc::bad_host, 7},
        {"amqp://[fe80::1%25a%2F]", uri_errc::bad_host, 7},
        {"amqp://[fe80::1%25a%25]", uri_errc::bad_host, 7},
        {"amqp://[fe80::1%25a%00]", uri_errc::null_byte, 19},
        {"amqp://[fe80::1%41eth0]", uri_errc::bad_host, 7},
        {"amqp://[::1%25" + std::string(64, 'z') + "]", uri_errc::bad_host, 7},
        {"amqp://[::1", uri_errc::bad_host, 7},
        {"amqp://[::1,::2]", uri_errc::bad_host, 7},
        {"amqp://[::1]x", uri_errc::bad_host, 12},
        {"amqp://[::1]]", uri_errc::bad_host, 12},
        {"amqp://[::1]5672", uri_errc::bad_host, 12},
        {"amqp://[::1]:", uri_errc::bad_port, 13},
    });
}

TEST_CASE("uri: ports")
{
    CHECK(parsed("amqp://h:1").hosts[0].port == 1);
    CHECK(parsed("amqp://h:65535/v").hosts[0].port == 65535);
    CHECK(parsed("amqp://h:005672").hosts[0].port == 5672);
    for (const auto* bad :
         {"", "0", "65536", "99999", "-1", "+1", "5672x", "x", "0x10", "1.5", "%35672",
          "18446744073709551617", "99999999999999999999999999999999"}) {
        CAPTURE(bad);
        check_refused({
            {std::string{"amqp://h:"} + bad, uri_errc::bad_port, 9},
            {std::string{"amqp://a,h:"} + bad + ",b/v?heartbeat=1", uri_errc::bad_port, 11},
        });
    }
}

TEST_CASE("uri: scheme, alphabet and length")
{
    check_refused({
        {"", uri_errc::bad_scheme, 0},
        {"amqp", uri_errc::bad_scheme, 0},
        {"amqp:", uri_errc::bad_scheme, 0},
        {"amqp:/h", uri_errc::bad_scheme, 0},
        {"://h", uri_errc::bad_scheme, 0},
        {"localhost", uri_errc::bad_scheme, 0},
        {"localhost:5672/v", uri_errc::bad_scheme, 0},
        {"http://h/", uri_errc::bad_scheme, 0},
        {"amqpss://h/", uri_errc::bad_scheme, 0},
        {"mqp://h/", uri_errc::bad_scheme, 0},
        {"amqp%73://h/", uri_errc::bad_scheme, 0},
        {" amqp://h/", uri_errc::bad_character, 0},
        {"amqp://h/v ", uri_errc::bad_character, 10},
        {"amqp://h/v\n", uri_errc::bad_character, 10},
        {"amqp://h\r\nx", uri_errc::bad_character, 8},
        {"amqp://h\x7f", uri_errc::bad_character, 8},
        {std::string{"amqp://h\0/v", 11}, uri_errc::bad_character, 8},
        {"amqp://h/v#x", uri_errc::bad_character, 10},
        {"amqp://h/gr\xc3\xb6\xc3\x9f" "e", uri_errc::bad_character, 11},
        {"amqp://h/a[b", uri_errc::bad_character, 10},
        {"amqp://u[:p@h", uri_errc::bad_character, 8},
        {"amqps://h?certfile=a]b", uri_errc::bad_character, 20},
    });
    for (int c = 0; c < 256; ++c) {
        const std::string allowed{"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                  "-._~!$&'()*+,;=:"};
        const std::string byte(1, static_cast<char>(c));
        CAPTURE(c);
        if (byte == "?") continue; // begins the query
        CHECK(bool{parse_uri("amqp://h/v" + byte)} == (allowed.find(byte) != std::string::npos));
    }

    const std::string text{"amqps://h/?certfile="};
    const auto longest = text + std::string(lv::max_uri_length - text.size(), 'x');
    check_forms(parsed("amqps://h/?certfile=" + std::string(4000, 'x')));
    CHECK(parsed(longest).certfile.size() == lv::max_uri_length - text.size());
    check_refused({
        {longest + "x", uri_errc::too_long, lv::max_uri_length},
        {std::string(1'000'000, 'a'), uri_errc::too_long, lv::max_uri_length},
    });
}

TEST_CASE("uri: percent-encoding, user and password")
{
    const auto value = parsed("amqp://u%40%3a%2F:p%40%3A%2f%3F%23%25%20+@h/v%25%3f");
    CHECK(value.user == "u@:/");
    CHECK(value.password == "p@:/?#% +");
    CHECK(value.vhost == "v%?");
    check_forms(value);
    CHECK(lv::to_string(value) == "amqp://u%40%3A%2F:***@h:5672/v%25%3F");

    CHECK(parsed("amqp://u:@h").password.empty());
    CHECK(parsed("amqp://:p@h").user.empty());
    CHECK(parsed("amqp://@h").user.empty());
    CHECK(parsed("amqp://@h").password == "guest");
    CHECK(parsed("amqp://u:***@h").password == "***");
    CHECK(parsed("amqp://h/%FF%01").vhost == "\xff\x01");

    check_refused({
        {"amqp://u:p@ss@h/", uri_errc::unescaped_delimiter, 13},
        {"amqp://u:p:ss@h/", uri_errc::unescaped_delimiter, 10},
        {"amqp://u:p/ss@h/", uri_errc::unescaped_delimiter, 13},
        {"amqp://u:12/ss@h", uri_errc::unescaped_delimiter, 14}, // not host u, port 12
        {"amqp://u:12?ss@h", uri_errc::unescaped_delimiter, 14},
        {"amqp://u:12#ss@h", uri_errc::bad_character, 11},
        {"amqp://h/v@w", uri_errc::unescaped_delimiter, 10},
        {"amqp://u%00:p@h", uri_errc::null_byte, 8},
        {"amqp://u:p%00@h", uri_errc::null_byte, 10},
        {"amqp://h/v%00", uri_errc::null_byte, 10},
        {"amqp://h/%00", uri_errc::null_byte, 9},
        {"amqp://h/v?heartbeat=%00", uri_errc::null_byte, 21},
        {"amqp://h/v?auth_mechanism=PLAIN%00", uri_errc::null_byte, 31},
        {"amqps://h/v?keyfile=/a%00b", uri_errc::null_byte, 22},
        {"amqp://u%:p@h", uri_errc::bad_escape, 8},
        {"amqp://u:p%4@h", uri_errc::bad_escape, 10},
        {"amqp://u:p%4g@h", uri_errc::bad_escape, 10},
        {"amqp://u:p%%34@h", uri_errc::bad_escape, 10},
        {"amqp://h/%", uri_errc::bad_escape, 9},
        {"amqp://h/%2", uri_errc::bad_escape, 9},
        {"amqp://h/%2?heartbeat=1", uri_errc::bad_escape, 9},
        {"amqp://h/v?heartbeat=1%", uri_errc::bad_escape, 22},
        {"amqp://h/v?heartbeat=%3&vhost=", uri_errc::bad_escape, 21},
    });

    // Limits count decoded bytes.
    std::string user, password, vhost;
    for (std::size_t i = 0; i < lv::max_uri_user_length; ++i) user += "%20";
    for (std::size_t i = 0; i < lv::max_uri_vhost_length; ++i) vhost += "%2F";
    password.assign(lv::max_uri_password_length, 'p');
    const auto largest = parsed("amqp://" + user + ":" + password + "@h/" + vhost);
    CHECK(largest.user == std::string(lv::max_uri_user_length, ' '));
    CHECK(largest.password == password);
    CHECK(largest.vhost == std::string(lv::max_uri_vhost_length, '/'));
    check_forms(largest);
    check_refused({
        {"amqp://" + user + "x:p@h", uri_errc::user_too_long, 7},
        {"amqp://u:" + password + "x@h", uri_errc::password_too_long, 9},
        {"amqp://h/" + vhost + "x", uri_errc::vhost_too_long, 9},
        {"amqp://h/" + std::string(5000, 'v'), uri_errc::vhost_too_long, 9},
    });
}

TEST_CASE("uri: the path is one segment")
{
    CHECK(parsed("amqp://h/%2Fa%2Fb").vhost == "/a/b");
    CHECK(parsed("amqp://h/a:b").vhost == "a:b");
    CHECK(parsed("amqp://h/..").vhost == "..");
    check_refused({
        {"amqp://h//", uri_errc::several_segments, 9},
        {"amqp://h//v", uri_errc::several_segments, 9},
        {"amqp://h/a/b", uri_errc::several_segments, 10},
        {"amqp://h/a/", uri_errc::several_segments, 10},
        {"amqp:////", uri_errc::several_segments, 8},
    });
}

TEST_CASE("uri: query parameters")
{
    const auto plain = parsed("amqp://myhost?heartbeat=5&connection_timeout=10000");
    CHECK(plain.heartbeat == std::uint16_t{5});
    CHECK(plain.connection_timeout == 10000U);
    CHECK_FALSE(plain.channel_max.has_value());
    CHECK_FALSE(plain.frame_max.has_value());
    CHECK(plain.verify == lv::tls_verify::peer);
    check_forms(plain);

    const auto tls = parsed("amqps://myhost?cacertfile=/path/to/ca_certificate.pem"
                            "&certfile=/path/to/client_certificate.pem"
                            "&keyfile=/path/to/client%20key+.pem&verify=verify_peer"
                            "&server_name_indication=myhost");
    CHECK(tls.cacertfile == "/path/to/ca_certificate.pem");
    CHECK(tls.certfile == "/path/to/client_certificate.pem");
    CHECK(tls.keyfile == "/path/to/client key+.pem");
    CHECK(tls.server_name_indication == "myhost");
    CHECK(tls.verify == lv::tls_verify::peer);
    check_forms(tls);

    const auto rest = parsed("amqps://u:p@h/v?channel_max=2047&frame_max=131072&verify=verify_none"
                             "&auth_mechanism=plain&auth_mechanism=RABBIT-CR-DEMO");
    CHECK(rest.channel_max == std::uint16_t{2047});
    CHECK(rest.frame_max == 131072U);
    CHECK(rest.verify == lv::tls_verify::none);
    CHECK(rest.auth_mechanisms == std::vector<std::string>{"PLAIN", "RABBIT-CR-DEMO"});
    check_forms(rest);
    CHECK(lv::to_string(rest) ==
          "amqps://u:***@h:5671/v?channel_max=2047&frame_max=131072&auth_mechanism=PLAIN"
          "&auth_mechanism=RABBIT-CR-DEMO&verify=verify_none");

    CHECK(parsed("amqp://h?") == parsed("amqp://h"));
    CHECK(parsed("amqps://h?keyfile=C:/a?b").keyfile == "C:/a?b");
    CHECK(parsed("amqps://h?keyfile=a=b").keyfile == "a=b");
    CHECK(parsed("amqp://h?heartbeat=%36%30").heartbeat == std::uint16_t{60});

    struct row {
        std::string_view name;
        std::vector<std::string_view> good, bad;
    };
    const std::string long_host(254, 'a');
    const std::vector<row> rows{
        {"heartbeat", {"0", "60", "65535"}, {"", "65536", "-1", "1s", "1.5", "off", "+1", "%201"}},
        {"connection_timeout", {"1", "2147483647"}, {"", "0", "2147483648", "-1", "1s"}},
        {"channel_max", {"0", "65535"}, {"", "65536", "-1", "many"}},
        {"frame_max",
         {"0", "4096", "4294967295"},
         {"", "1", "4095", "4294967296", "18446744073709551616", "-1"}},
        {"auth_mechanism",
         {"PLAIN", "external", "X_1-A", "ABCDEFGHIJKLMNOPQRST"},
         {"", "PLAIN,EXTERNAL", "pl%20ain", "A.B", "ABCDEFGHIJKLMNOPQRSTU"}},
        {"cacertfile", {"a"}, {""}},
        {"certfile", {"a"}, {""}},
        {"keyfile", {"a"}, {""}},
        {"verify", {"verify_peer", "verify_none"}, {"", "none", "0", "false", "Verify_none", "no"}},
        {"server_name_indication", {"h", "a.b"}, {"", "a%20b", "a:b", "%5B::1%5D", long_host}},
    };
    for (const auto& item : rows) {
        const auto query = std::string{"amqps://h/v?"} + std::string{item.name};
        for (const auto good : item.good) {
            check_forms(parsed(query + "=" + std::string{good}));
            check_refused({{query + "=" + std::string{good} + "&" + std::string{item.name} + "=" +
                                std::string{good},
                            uri_errc::duplicate_parameter,
                            query.size() + good.size() + 2}});
        }
        for (const auto bad : item.bad)
            check_refused({{query + "=" + std::string{bad}, uri_errc::bad_value, 12}});
        check_refused({{query, uri_errc::bad_value, 12}});
        const auto message = parse_uri(query + "=").message();
        CHECK(message.find(item.name) != std::string::npos);
    }

    check_refused({
        {"amqp://h?x=1", uri_errc::unknown_parameter, 9},
        {"amqp://h?heartbeat=1&", uri_errc::unknown_parameter, 21},
        {"amqp://h?&heartbeat=1", uri_errc::unknown_parameter, 9},
        {"amqp://h?=", uri_errc::unknown_parameter, 9},
        {"amqp://h?Heartbeat=1", uri_errc::unknown_parameter, 9},
        {"amqp://h?heartbeats=1", uri_errc::unknown_parameter, 9},
        {"amqp://h?heart%62eat=1", uri_errc::unknown_parameter, 9},
        {"amqp://h?heartbeat=1;frame_max=0", uri_errc::bad_value, 9},
        {"amqps://h?password=k", uri_errc::unknown_parameter, 10},
        {"amqps://h?fail_if_no_peer_cert=true", uri_errc::unknown_parameter, 10},
        {"amqp://h?heartbeat=1&heartbeat=2", uri_errc::duplicate_parameter, 21},
        {"amqp://h?auth_mechanism=plain&auth_mechanism=PLAIN", uri_errc::duplicate_parameter, 30},
        // Whoever names a certificate believes to be encrypted.
        {"amqp://h?cacertfile=a", uri_errc::tls_parameter, 9},
        {"amqp://h?heartbeat=1&verify=verify_peer", uri_errc::tls_parameter, 21},
    });
    CHECK(parse_uri("amqp://h?x=1").message().find("heartbeat, connection_timeout, ") !=
          std::string::npos);
}

TEST_CASE("uri: messages are sentences to act on")
{
    CHECK(parse_uri("amqp://h/a/b").message() ==
          "AMQP URI, at offset 10: the path has a second '/'; write a '/' that belongs to the "
          "virtual host as %2F");
    CHECK(parse_uri("amqp://h?frame_max=100").message() ==
          "AMQP URI, at offset 9: the parameter frame_max has a bad value; it must be 0 (no limit) "
          "or a number of bytes from 4096 to 4294967295");
    CHECK(parse_uri("amqp://h?verify=verify_none").message() ==
          "AMQP URI, at offset 9: the parameter verify has no meaning without TLS; write amqps:// "
          "or remove it");
    CHECK(parse_uri("amqp://").message() == "AMQP URI: nothing is wrong");
}

TEST_CASE("uri: values made by a program can be printed and read")
{
    lv::uri value;
    value.scheme = lv::uri_scheme::amqps;
    value.user = "\xc3\xa4\n\x1b[31m";
    value.password = std::string{"all "};
    for (int c = 1; c < 256; ++c) value.password.push_back(static_cast<char>(c));
    value.hosts = {{"fe80::1%eth0", 1}, {"a.b", 65535}};
    value.vhost = "\x1b/@?#%";
    value.heartbeat = std::uint16_t{0};
    value.frame_max = 0U;
    value.keyfile = "/k&=;@ \n";
    check_forms(value);
    for (const char c : lv::to_string(value)) CHECK((c > ' ' && c < '\x7f'));

    value.hosts.clear();
    CHECK(hosts_of(parsed(lv::to_string_revealing_password(value))) == "localhost 5671;");
}

TEST_CASE("uri: no message and no printed form holds the password")
{
    // SECRET stands for the password, wherever a slip may have put it.
    const std::string_view templates[] = {
        "amqp://u:SECRET@h/v", "amqp://u:SECRET@h:0/v", "amqp://u:SECRET@h:99999",
        "amqp://u:SECRET",
        "amqp://u:SECRET@h/v%00", "amqp://u:SECRET@h/a/b", "amqp://u:SECRET@h?x=1",
        "amqp://u:SECRET@h?heartbeat=x", "amqp://u:SECRET@a,,b", "amqp://u:SECRET@[::1",
        "amqp://u:SECRET@[x]", "amqp://u:SECRET%@h", "amqp://u:SECRET%00@h", "amqp://u:SECRET@@h",
        "amqp://u:@SECRET@h", "amqp://u::SECRET@h", "amqp://u:SECRET:@h", "amqp://u:SECRET/@h",
        "amqp://u:/SECRET@h", "amqp://u:1/SECRET@h", "amqp://u:SECRET?@h", "amqp://u:?SECRET@h",
        "amqp://u:1?SECRET@h", "amqp://u:SECRET#@h", "amqp://u:1#SECRET@h", "amqp://u:SECRET @h",
        "amqp://u: SECRET@h", "amqp://u:[SECRET]@h", "amqp:u:SECRET@h", "http://u:SECRET@h/",
        "u:SECRET@h", "SECRET", "amqp://u:SECRET@h,u:SECRET@h", "amqp://u:SECRET@u:SECRET@h",
        "amqp://u:SECRET@h\n", "amqp://u:1/?SECRET=x@h", "amqp://u:1/?heartbeat=SECRET@h",
        "amqps://u:1/?verify=SECRET@h", "amqp://u:1?SECRET", "amqps://h?password=SECRET",
        "amqps://h?verify=SECRET", "amqp://h?auth_mechanism=SECRET%20", "amqp://h?SECRET",
        "amqp://h?vhost=SECRET", "amqp://u:SECRETSECRETSECRET@h:x",
        "amqps://u:SECRET@h?cacertfile=a&cacertfile=b", "amqp://u:SECRET@h?verify=verify_none",
    };
    const std::string_view secrets[] = {"hunter2", "Xq7.secret~Z", "7777777", "s3cr3t%40%2F",
                                        "%73ecretive", "it's*me"};
    for (const auto form : templates) {
        for (const auto secret : secrets) {
            std::string text{form};
            for (auto at = text.find("SECRET"); at != std::string::npos; at = text.find("SECRET"))
                text.replace(at, 6, secret);
            const auto result = parse_uri(text);
            auto decoded = parsed("amqp://u:" + std::string{secret} + "@").password;
            for (const auto& shown : {result.message(), lv::to_string(result.value),
                                      std::string{result.parameter}}) {
                CAPTURE(form);
                CAPTURE(shown);
                CHECK(shown.find(secret) == std::string::npos);
                CHECK(shown.find(decoded) == std::string::npos);
            }
            if (!result) {
                auto nothing = lv::uri{};
                nothing.hosts.clear();
                CHECK(result.value == nothing);
            }
        }
    }
    // A password as long as can be has no other length when printed.
    lv::uri value;
    value.password.clear();
    const auto shown = lv::to_string(value);
    value.password.assign(4000, 'x');
    CHECK(lv::to_string(value) == shown);
}

TEST_CASE("uri: random mutations end in a value that prints and reads back, or in an error")
{
    const std::vector<std::string> seeds{
        "amqp://user%61:%61pass@ho%61st:10000/v%2fhost",
        "amqp://u:p@h1:5672,h2,[::1]:5673/vhost",
        "amqp://[fe80::1%25eth0]:5672/?vhost=&heartbeat=60",
        "amqps://u:p@h/v?channel_max=1&frame_max=4096&auth_mechanism=PLAIN&keyfile=/k"
        "&verify=verify_peer",
        "amqp://",
    };
    const std::string_view pieces[] = {"%", "%00", "%2F", "@", ":", "/", "?", "&", "=", ",",
                                       "[", "]", "::", "0", "99999", "h", "heartbeat=", "amqp://",
                                       "#", "\n"};
    std::mt19937 random{20240607};
    const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random()) % n; };
    int good = 0;
    for (int round = 0; round < 60'000; ++round) {
        auto text = seeds[below(seeds.size())];
        for (auto changes = 1 + below(4); changes != 0; --changes) {
            const auto at = below(text.size() + 1);
            switch (below(4)) {
            case 0: text.insert(at, pieces[below(std::size(pieces))]); break;
            case 1: text.erase(at, below(4)); break;
            case 2:
                if (at < text.size()) text[at] = static_cast<char>(below(256));
                break;
            default: text.insert(at, text.substr(below(text.size() + 1), below(8))); break;
            }
        }
        const auto result = parse_uri(text);
        if (!result) {
            if (result.offset > text.size() || result.message().size() > 400) FAIL(text);
            continue;
        }
        ++good;
        const auto full = lv::to_string_revealing_password(result.value);
        const auto again = parse_uri(full);
        if (!again || again.value != result.value || result.offset != 0) FAIL(text);
    }
    CHECK(good > 1000);
}
