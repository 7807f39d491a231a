// Hears the notifications of oslo.messaging's notifiers, and ends after as many as expected.
//
//   oslo_listener --url rabbit://guest:guest@localhost:5672/ --topic notifications --expect 10 [--pool NAME]
//                 [--requeue N]       gives back the first N once
//                 [--batch SIZE]      takes so many together
//                 [--server NAME]     as the other programs have it; a listener has no name, and it is ignored
#include "options.hpp"

#include <leveret/notify.hpp>

#include <asio/awaitable.hpp>

#include <cstddef>
#include <cstdint>
#include <iostream>
#include <span>
#include <string>

namespace {

void print(const lv::notify::notification& n)
{
    const lv::json line = {{"priority", lv::notify::name(*n.priority())},
                           {"publisher_id", n.publisher_id()},
                           {"event_type", n.event_type()},
                           {"payload", n.payload()},
                           {"context", n.context()},
                           {"message_id", n.message_id()},
                           {"timestamp", n.timestamp()}};
    std::cout << line.dump() << std::endl;
}

asio::awaitable<void> listen(const oslo_example::options& o)
{
    std::uint64_t left = o.count("expect", 1);
    std::uint64_t to_requeue = o.count("requeue", 0);
    const auto batch = static_cast<std::size_t>(o.count("batch", 1));
    auto connection = co_await lv::connect(o.url());
    auto channel = co_await connection.open_channel();
    const std::string exchange = o.text("exchange", "openstack");
    const std::string topic = o.text("topic", "notifications");
    const std::string pool = o.text("pool", "");
    lv::notify::listener desk{channel, {.exchange = exchange, .topic = topic, .pool = pool, .batch_size = batch}};

    const auto one = [&](const lv::notify::notification& n) {
        if (to_requeue != 0) {
            --to_requeue;
            std::cout << "requeue" << std::endl;
            return lv::notify::outcome::requeue;
        }
        print(n);
        if (--left == 0)
            desk.stop();
        return lv::notify::outcome::handled;
    };
    const auto many = [&](std::span<const lv::notify::notification> together) {
        std::cout << "batch of " << together.size() << std::endl;
        for (const auto& n : together)
            print(n);
        left -= together.size() < left ? together.size() : left;
        if (left == 0)
            desk.stop();
    };
    for (const auto priority : lv::notify::priorities) {
        if (batch > 1)
            desk.on_batch(priority, many);
        else
            desk.on(priority, one);
    }
    co_await desk.start();
    std::cout << "READY" << std::endl;
    if (left != 0)
        co_await desk.run();
    co_await connection.close();
}

} // namespace

int main(int argc, char** argv)
{
    const oslo_example::options o(argc, argv,
                                  "[--url URL] [--exchange NAME] [--topic NAME] [--server NAME] [--expect N] [--pool NAME] "
                                  "[--requeue N] [--batch SIZE]");
    return oslo_example::run(listen(o));
}
