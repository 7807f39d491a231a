// leveret-perf: a load tool for AMQP 0-9-1 brokers, after RabbitMQ's PerfTest and lavinmqperf.
// `leveret-perf --help` has the options.

#include "options.hpp"
#include "report.hpp"
#include "session.hpp"

#include <leveret/core/error.hpp>

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>

#include <cstdio>
#include <exception>

namespace {

int fail(const std::exception_ptr& error)
{
    try {
        std::rethrow_exception(error);
    } catch (const leveret::usage_error& e) {
        std::fprintf(stderr, "leveret-perf: %s\n", e.what());
        return 2;
    } catch (const std::exception& e) {
        std::fprintf(stderr, "leveret-perf: %s\n", e.what());
        return 1;
    }
}

int run(const perf::options& o)
{
    asio::io_context context{1};
    perf::session session(context.get_executor(), o);
    std::exception_ptr error;
    asio::co_spawn(context, session.run(), [&](std::exception_ptr thrown) { error = thrown; });
    context.run();

    const perf::measurement measured = session.measured();
    if (session.has_measured()) {
        if (o.json)
            perf::print_json(measured);
        else
            perf::print_report(measured, o);
    }
    if (error)
        return fail(error);
    if (measured.problem.empty())
        return 0;
    std::fprintf(stderr, "leveret-perf: %s\n", measured.problem.c_str());
    return 1;
}

} // namespace

int main(int argc, char** argv)
{
    int exit_code = 0;
    const auto options = perf::parse_options(argc, argv, exit_code);
    if (!options)
        return exit_code;
    try {
        return run(*options);
    } catch (...) {
        return fail(std::current_exception());
    }
}
