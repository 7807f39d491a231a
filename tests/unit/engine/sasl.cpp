#include "support/bytes.hpp"

#include <leveret/engine/client_config.hpp>
#include <leveret/engine/sasl.hpp>

#include <doctest/doctest.h>

#include <string>

using leveret::table;
using leveret::engine::amqplain_response;
using leveret::engine::offers;
using leveret::engine::plain_response;
using leveret::test::bytes;

TEST_CASE("sasl: the responses of PLAIN and AMQPLAIN")
{
    CHECK(plain_response("guest", "secret") == bytes("00 'guest' 00 'secret'"));
    CHECK(plain_response("", "") == bytes("00 00"));
    CHECK(amqplain_response("guest", "secret") ==
          bytes("05 'LOGIN' 'S' 00000005 'guest' 08 'PASSWORD' 'S' 00000006 'secret'"));
}

TEST_CASE("sasl: a mechanism is offered if it is a word of the list")
{
    CHECK(offers("PLAIN", "PLAIN"));
    CHECK(offers("AMQPLAIN PLAIN EXTERNAL", "PLAIN"));
    CHECK(offers("AMQPLAIN PLAIN EXTERNAL", "EXTERNAL"));
    CHECK(offers("  PLAIN  X ", "PLAIN"));
    CHECK_FALSE(offers("AMQPLAIN", "PLAIN"));
    CHECK_FALSE(offers("PLAINER", "PLAIN"));
    CHECK_FALSE(offers("plain", "PLAIN"));
    CHECK_FALSE(offers("", "PLAIN"));
    CHECK_FALSE(offers(" ", "PLAIN"));
    CHECK_FALSE(offers("PLAIN,EXTERNAL", "PLAIN"));
}

TEST_CASE("client config: the user's client properties are added and win")
{
    leveret::engine::client_config config;
    config.client_properties = {{"product", "mine"}, {"connection_name", "worker 1"}};
    const table t = client_properties(config);
    CHECK(*t.find_as<std::string>("product") == "mine");
    CHECK(*t.find_as<std::string>("connection_name") == "worker 1");
    CHECK(t.contains("version"));
    const table* capabilities = t.find_as<table>("capabilities");
    REQUIRE(capabilities != nullptr);
    for (const char* name : {"publisher_confirms", "exchange_exchange_bindings", "basic.nack",
                             "consumer_cancel_notify", "connection.blocked", "authentication_failure_close"}) {
        CAPTURE(name);
        REQUIRE(capabilities->find_as<bool>(name) != nullptr);
        CHECK(*capabilities->find_as<bool>(name));
    }
}
