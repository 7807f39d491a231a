// Notifications for listeners of oslo.messaging.
//
//   oslo_notifier --url rabbit://guest:guest@localhost:5672/ --topic notifications --count 10 [--priority info]
#include "options.hpp"

#include <leveret/notify.hpp>

#include <asio/awaitable.hpp>

#include <cstdint>
#include <iostream>
#include <stdexcept>
#include <string>

namespace {

asio::awaitable<void> tell(const oslo_example::options& o)
{
    const std::uint64_t count = o.count("count", 1);
    auto connection = co_await lv::connect(o.url());
    auto channel = co_await connection.open_channel();
    const std::string exchange = o.text("exchange", "openstack");
    const std::string topic = o.text("topic", "notifications");
    const std::string server = o.text("server", "leveret.host1");
    const std::string event = o.text("event", "example.tick");
    const lv::notify::notifier plain{channel, {.publisher_id = server, .exchange = exchange, .topic = topic}};
    const auto teller = plain.with_context({{"user_id", "u1"}, {"project_id", "p1"}});
    const auto priority = lv::notify::parse_priority(o.text("priority", "info"));
    if (!priority)
        throw std::invalid_argument("no such priority");
    for (std::uint64_t i = 0; i < count; ++i) {
        const lv::json payload = {{"seq", i}};
        const auto outcome = co_await teller.notify(*priority, event, payload);
        if (!outcome)
            throw std::runtime_error("the broker refused a notification");
    }
    std::cout << count << " notifications" << std::endl;
    co_await connection.close();
}

} // namespace

int main(int argc, char** argv)
{
    const oslo_example::options o(argc, argv,
                                  "[--url URL] [--exchange NAME] [--topic NAME] [--server PUBLISHER] [--priority NAME] "
                                  "[--event TYPE] [--count N]");
    return oslo_example::run(tell(o));
}
