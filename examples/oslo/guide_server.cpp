// The server of oslo.messaging's guide: an endpoint that stops it, in a namespace of its own, and one that is tried out.
// Runs until somebody calls `stop`.
//
//   guide_server --url rabbit://guest:guest@localhost:5672/ --topic test --server server1
//   oslo_client --topic test --call test --args '{"arg": "hello"}'
//   oslo_client --topic test --namespace control --version 2.0 --call stop
#include "options.hpp"

#include <leveret/rpc.hpp>

#include <asio/awaitable.hpp>

#include <iostream>
#include <string>
#include <utility>

namespace {

using server = lv::rpc::server<lv::any_channel, lv::rpc::wire::oslo>;

class server_control_endpoint {
public:
    static constexpr lv::rpc::target_options target{.name_space = "control", .version = "2.0"};

    explicit server_control_endpoint(server& s) : server_(s) {}
    void stop() { server_.stop(); }

private:
    server& server_;
};

struct test_endpoint {
    /// Gives back what it gets, of whatever type it is.
    lv::json test(lv::json arg) { return arg; }
};

asio::awaitable<void> serve(const oslo_example::options& o)
{
    auto connection = co_await lv::connect(o.url());
    auto channel = co_await connection.open_channel();
    const std::string exchange = o.text("exchange", "openstack");
    const std::string topic = o.text("topic", "test");
    const std::string name = o.text("server", "server1");
    server node{channel, {.exchange = exchange, .topic = topic, .server = name}, lv::rpc::wire::oslo{}};

    server_control_endpoint to_control{node};
    lv::rpc::endpoint control{server_control_endpoint::target};
    control.add("stop", &server_control_endpoint::stop, to_control);
    node.add(std::move(control));

    test_endpoint to_test;
    lv::rpc::endpoint test; // in no namespace, version 1.0
    test.add<"arg">("test", &test_endpoint::test, to_test);
    node.add(std::move(test));

    co_await node.start();
    std::cout << "READY" << std::endl;
    co_await node.run();
    co_await connection.close();
}

} // namespace

int main(int argc, char** argv)
{
    const oslo_example::options o(argc, argv, "[--url URL] [--exchange NAME] [--topic NAME] [--server NAME]");
    return oslo_example::run(serve(o));
}
