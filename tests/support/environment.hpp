// What tests/run puts into the environment.
#pragma once

#include <cstdlib>
#include <stdexcept>
#include <string>

namespace leveret::test {

/// The URI of the private RabbitMQ. Throws where there is none: a test that needs it fails then, and is
/// never skipped.
inline std::string amqp_uri()
{
    const char* uri = std::getenv("LEVERET_TEST_AMQP_URI");
    if (uri == nullptr)
        throw std::runtime_error("LEVERET_TEST_AMQP_URI is not set: use tests/run, or start a node "
                                 "with tests/support/rabbitmq");
    return uri;
}

} // namespace leveret::test
