// The clients' random operations of client_model.hpp over the in-memory transport. conformance/random_operations.cpp has
// the same sequences, fewer of them, against RabbitMQ.
#include "conformance/transports.hpp"
#include "model/client_model.hpp"
#include "support/coro_test.hpp"

#include <asio/awaitable.hpp>
#include <doctest/doctest.h>

#include <cstdint>

namespace lm = leveret::model;

TEST_CASE("clients' random operations look the same over the in-memory transport and on the model")
{
    const std::uint64_t steps = lm::from_environment("LEVERET_MODEL_CLIENT_STEPS", 40'000);
    const std::uint64_t seed = lm::from_environment("LEVERET_MODEL_SEED", 1);
    constexpr std::uint64_t life = 400;
    std::uint64_t events = 0;
    for (std::uint64_t n = 0; n < steps / life; ++n) {
        leveret::test::over_memory transport;
        lm::client_run run(transport, "", seed + n);
        const auto body = [&]() -> asio::awaitable<void> { co_await run.steps(life); };
        leveret::test::run_coro_test_case(body, 10 * leveret::test::coro_time_limit());
        events += run.events();
    }
    MESSAGE(steps << " steps from seed " << seed << ", " << events << " events: the same");
    CHECK(events > steps / 4); // it did something
}
