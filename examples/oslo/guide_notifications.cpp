// The notifier and the listener of oslo.messaging's guide: the listener has two endpoints, each with a filter.
//
//   guide_notifications --listen [--expect N] [--pool NAME]     to the end, or until it has heard so many
//   guide_notifications --notify [--server PUBLISHER]           two that pass the filters, and two that do not
//
// Both take --url URL, --exchange NAME and --topic NAME.
#include "options.hpp"

#include <leveret/notify.hpp>

#include <asio/awaitable.hpp>

#include <cstdint>
#include <iostream>
#include <stdexcept>
#include <string>

namespace {

void print(const lv::notify::notification& n)
{
    std::cout << lv::notify::name(*n.priority()) << " from " << n.publisher_id() << ": " << n.event_type() << ' '
              << n.payload() << std::endl;
}

struct notification_endpoint {
    static lv::notify::filter filter() { return lv::notify::filter().publisher_id("compute"); }
    void warn(const lv::notify::notification& n) { print(n); }
};

struct error_endpoint {
    /// Of contexts, notifiers in Python send the keys that OpenStack knows, and no others.
    static lv::notify::filter filter()
    {
        return lv::notify::filter().event_type(R"(instance\..*\.start$)").context("project_id", "field-");
    }
    void error(const lv::notify::notification& n) { print(n); }
};

asio::awaitable<void> listen(const oslo_example::options& o)
{
    auto connection = co_await lv::connect(o.url());
    auto channel = co_await connection.open_channel();
    const std::string exchange = o.text("exchange", "openstack");
    const std::string topic = o.text("topic", "notifications");
    const std::string pool = o.text("pool", "");
    lv::notify::listener desk{channel, {.exchange = exchange, .topic = topic, .pool = pool}};

    auto left = static_cast<std::uint64_t>(o.number("expect", 0)); // 0: as many as come
    const auto count = [&] {
        if (left != 0 && --left == 0)
            desk.stop();
    };
    notification_endpoint warnings;
    error_endpoint errors;
    const auto warn = [&](const lv::notify::notification& n) { warnings.warn(n), count(); };
    const auto error = [&](const lv::notify::notification& n) { errors.error(n), count(); };
    desk.on(lv::notify::priority::warn, warn, notification_endpoint::filter());
    desk.on(lv::notify::priority::error, error, error_endpoint::filter());

    co_await desk.start();
    std::cout << "READY" << std::endl;
    co_await desk.run();
    co_await connection.close();
}

asio::awaitable<void> notify(const oslo_example::options& o)
{
    auto connection = co_await lv::connect(o.url());
    auto channel = co_await connection.open_channel();
    const std::string exchange = o.text("exchange", "openstack");
    const std::string topic = o.text("topic", "notifications");
    const std::string publisher = o.text("server", "compute.host1");
    const lv::notify::notifier compute{channel, {.publisher_id = publisher, .exchange = exchange, .topic = topic}};
    const lv::notify::notifier network{channel, {.publisher_id = "network.host1", .exchange = exchange, .topic = topic}};
    const auto told = compute.with_context({{"project_id", "field-1"}});

    const lv::json instance = {{"instance_id", 12}};
    auto outcome = co_await network.warn("port.slow", instance); // another publisher
    bool has_all = outcome.is_confirmed();
    outcome = co_await compute.warn("instance.slow", instance);
    has_all = has_all && outcome.is_confirmed();
    outcome = co_await told.error("instance.create.end", instance); // another event
    has_all = has_all && outcome.is_confirmed();
    outcome = co_await told.error("instance.create.start", instance);
    has_all = has_all && outcome.is_confirmed();
    if (!has_all)
        throw std::runtime_error("the broker refused a notification");
    std::cout << "4 notifications" << std::endl;
    co_await connection.close();
}

} // namespace

int main(int argc, char** argv)
{
    const oslo_example::options o(argc, argv,
                                  "--listen | --notify [--url URL] [--exchange NAME] [--topic NAME] [--server PUBLISHER] "
                                  "[--expect N] [--pool NAME]");
    if (o.has("listen") == o.has("notify")) {
        std::cerr << "either --listen or --notify\n";
        return 2;
    }
    return oslo_example::run(o.has("listen") ? listen(o) : notify(o));
}
