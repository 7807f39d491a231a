#include "options.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <string_view>

namespace perf {

namespace {

constexpr const char* description =
    R"(leveret-perf: a load tool for RabbitMQ and other AMQP 0-9-1 brokers.

Publishes and consumes as fast as the broker takes it, until Ctrl-C, --time or --count, and reports
rates, latency, and the CPU time and memory that this client needed. One thread; every producer and
consumer has a connection of its own. Without --queue the queues are this run's own and go with it.)";

constexpr const char* footer = R"(
Latency is measured where one process publishes and consumes and the body has room for a timestamp (12
bytes): in every message of runs of up to 10,000 and in the first of each burst of a --rate, else in one
of 16. Round trips are measured for each call of one in flight, else for one of 8 calls in flight.

Exit status: 0 done, 1 failed or messages missing, 2 options that can't be.)";

void add_load(CLI::App& app, options& o)
{
    app.add_option("-x,--producers", o.producers, "Producers; with --rpc: clients. Default 1");
    app.add_option("-y,--consumers", o.consumers,
                   "Consumers; with --rpc: servers, none where --queue or\n"
                   "--no-declare says that there is one. Default 1");
    app.add_option("-s,--size", o.size, "Bytes in a body. Default 16");
    app.add_option("-C,--count", o.count,
                   "End after so many messages (or calls): published by all\n"
                   "producers together, or consumed where there are none.\n"
                   "Default 0: no limit");
    app.add_option("-z,--time", o.seconds, "End after so many seconds. Default 0: no limit");
    app.add_option("-r,--rate", o.rate, "Messages a second of each producer. Default 0: no limit");
    app.add_option("-c,--confirm", o.confirm,
                   "Publish with confirms, so many in flight (1 to 65536).\n"
                   "Default 0: without");
    app.add_flag("-a,--auto-ack", o.auto_ack, "Consume without acknowledgements");
    app.add_option("-A,--ack-every", o.ack_every,
                   "Acknowledge each N-th delivery with those before it.\nDefault 1");
    app.add_option("-q,--prefetch", o.prefetch,
                   "Deliveries that may wait for acknowledgement.\nDefault 0: no limit");
    app.add_flag("--rpc", o.rpc, "Calls and replies instead of messages");
    app.add_option("--in-flight", o.in_flight, "Calls that each client has under way. Default 1");
}

void add_topology(CLI::App& app, options& o)
{
    app.add_option("-u,--queue", o.queue,
                   "Name of the queue, declared unless it is there. With\n"
                   "--queues the names are NAME-1, NAME-2..., or have the\n"
                   "number in place of a %d");
    app.add_option("--queues", o.queues,
                   "Queues, spread over producers and consumers. Default 1");
    app.add_option("-e,--exchange", o.exchange,
                   "Publish to this exchange, declared unless it is there, and\n"
                   "bind the queues to it. Default: the default exchange");
    app.add_option("-t,--type", o.type, "Type of the exchange. Default direct");
    app.add_option("-k,--routing-key", o.routing_key,
                   "Publish and bind with this key. Default: each queue's name");
    app.add_flag("--durable", o.durable,
                 "Queue and exchange survive a restart of the broker; others\n"
                 "are deleted when the last consumer or binding is gone");
    app.add_flag("-p,--persistent", o.persistent, "Publish persistent messages");
    app.add_flag_callback("--no-declare", [&o] { o.declare = false; },
                          "Use the exchange and queues as they are");
}

/// What is out of its range, or empty. CLI11's own validators would format what is allowed at every start,
/// for a megabyte of memory.
std::string_view check_ranges(const options& o)
{
    if (o.producers > 10'000 || o.consumers > 10'000)
        return "--producers and --consumers must be 0 to 10000";
    if (o.queues == 0 || o.queues > 10'000)
        return "--queues must be 1 to 10000";
    if (o.size > 134'217'728)
        return "--size must be 0 to 134217728 bytes (128 MiB)";
    if (!(o.seconds >= 0 && o.seconds <= 1e9))
        return "--time must be 0 to 1000000000 seconds";
    if (!(o.rate >= 0 && o.rate <= 1e9))
        return "--rate must be 0 to 1000000000 messages a second";
    if (o.confirm > 65'536)
        return "--confirm must be 0 to 65536 messages";
    if (o.in_flight == 0 || o.in_flight > 65'536)
        return "--in-flight must be 1 to 65536 calls";
    if (o.ack_every == 0)
        return "--ack-every must be 1 or more";
    return {};
}

/// What the options can't be together, or empty. Fills in what follows from others.
std::string_view settle(const CLI::App& app, options& o)
{
    const bool is_named = !o.queue.empty();
    if (o.rpc && o.producers != 0 && app.count("--consumers") == 0 && (is_named || !o.declare))
        o.consumers = 0;
    if (!o.rpc && app.count("--in-flight") != 0)
        return "--in-flight goes with --rpc (for publishing it is --confirm)";
    if (o.rpc && o.confirm != 0)
        return "--confirm does not go with --rpc: the reply tells that the call arrived";
    if (o.rpc && o.rate != 0)
        return "--rate does not go with --rpc: --in-flight sets the pace";
    if (o.producers == 0 && o.consumers == 0)
        return "nothing to do with no producers and no consumers";
    if (o.exchange.empty() && app.count("--type") != 0)
        return "--type goes with --exchange";
    if (o.exchange.empty() && !o.routing_key.empty()) {
        if (is_named && (o.routing_key != o.queue || o.queues > 1))
            return "--routing-key with --queue needs --exchange: on the default exchange the routing "
                   "key is the queue's name";
        o.queue = o.routing_key;
    }
    const bool has_queue = !o.queue.empty();
    if (!o.declare && !has_queue && (o.consumers != 0 || o.exchange.empty()))
        return "--no-declare needs --queue, or --exchange and --consumers 0";
    if (!has_queue && o.producers == 0 && o.exchange.empty())
        return "--producers 0 needs --queue or --exchange: nobody else knows a queue without a name";
    if (!has_queue && o.rpc && o.consumers == 0 && o.exchange.empty())
        return "--rpc --consumers 0 needs --queue: who answers?";
    if (o.auto_ack && app.count("--ack-every") != 0)
        return "--ack-every does not go with --auto-ack";
    if (o.prefetch != 0 && o.ack_every > o.prefetch && !o.auto_ack)
        return "--ack-every above --prefetch would wait for ever";
    return {};
}

} // namespace

std::optional<options> parse_options(int argc, char** argv, int& exit_code)
{
    options o;
    CLI::App app(description);
    app.footer(footer);
    app.get_formatter()->column_width(28);
    app.add_option("--uri", o.uri, "The broker. Default amqp://guest:guest@localhost:5672/")
        ->envname("LEVERET_URI");
    add_load(app, o);
    add_topology(app, o);
    app.add_flag("--json", o.json, "Report one JSON object");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& e) {
        const bool is_help = e.get_exit_code() == 0;
        exit_code = is_help ? 0 : 2;
        if (is_help)
            std::fputs(app.help().c_str(), stdout);
        else
            std::fprintf(stderr, "leveret-perf: %s (--help has the options)\n", e.what());
        return std::nullopt;
    }
    std::string_view wrong = check_ranges(o);
    if (wrong.empty())
        wrong = settle(app, o);
    if (wrong.empty())
        return o;
    std::fprintf(stderr, "leveret-perf: %.*s\n", static_cast<int>(wrong.size()), wrong.data());
    exit_code = 2;
    return std::nullopt;
}

} // namespace perf
