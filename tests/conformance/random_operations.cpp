// The clients' random operations of model/client_model.hpp over AMQP, against RabbitMQ and in the second run
// against the bundled server: the same sequences as in memory, so that all of them are held against each other.
#include "conformance/transports.hpp"
#include "interop/broker.hpp"
#include "model/client_model.hpp"

#include <asio/awaitable.hpp>
#include <doctest/doctest.h>

#include <cstdint>

namespace lm = leveret::model;

TEST_CASE("AMQP: clients' random operations look the same as on the model")
{
    const std::uint64_t steps = lm::from_environment("LEVERET_MODEL_RABBITMQ_STEPS", 4'000);
    const std::uint64_t seed = lm::from_environment("LEVERET_MODEL_SEED", 1);
    constexpr std::uint64_t life = 400;
    std::uint64_t events = 0;
    for (std::uint64_t n = 0; n < steps / life; ++n) {
        leveret::test::over_amqp transport;
        lm::client_run run(transport, leveret::test::unique("model") + ".", seed + n);
        const auto body = [&]() -> asio::awaitable<void> {
            co_await run.steps(life);
            co_await transport.stop();
        };
        leveret::test::run_coro_test_case(body, 10 * leveret::test::coro_time_limit());
        events += run.events();
    }
    MESSAGE(steps << " steps from seed " << seed << ", " << events << " events: the same");
    CHECK(events > steps / 4); // it did something
}
