// The methods that the fake server answers with more than a name.

#include "session.hpp"

#include <algorithm>

namespace bench {

namespace {

void put_entry(std::string& table, std::string_view name, std::string_view value)
{
    put_short(table, name);
    put8(table, 'S');
    put_long(table, value);
}

void put_entry(std::string& table, std::string_view name, bool value)
{
    put_short(table, name);
    put8(table, 't');
    put8(table, value ? 1 : 0);
}

/// What RabbitMQ 3.10 says of itself: clients look here for what they may use.
std::string server_properties()
{
    std::string capabilities;
    for (const auto* name :
         {"publisher_confirms", "exchange_exchange_bindings", "basic.nack",
          "consumer_cancel_notify", "connection.blocked", "consumer_priorities",
          "authentication_failure_close", "per_consumer_qos", "direct_reply_to"}) {
        put_entry(capabilities, name, true);
    }
    std::string table;
    put_short(table, "capabilities");
    put8(table, 'F');
    put_long(table, capabilities);
    put_entry(table, "cluster_name", std::string_view("amqp-peer@localhost"));
    put_entry(table, "platform", std::string_view("benchmark peer, frames only"));
    put_entry(table, "product", std::string_view("RabbitMQ"));
    put_entry(table, "version", std::string_view("3.10.8"));
    return table;
}

} // namespace

void session::send_start()
{
    frame f(out_, 0, id::start);
    put8(out_, 0);
    put8(out_, 9);
    put_long(out_, server_properties());
    put_long(out_, "PLAIN AMQPLAIN");
    put_long(out_, "en_US");
}

void session::send_tune()
{
    frame f(out_, 0, id::tune);
    put16(out_, 2047);
    put32(out_, default_frame_max);
    put16(out_, options_.heartbeat);
}

void session::fail(std::uint16_t code, std::string_view text)
{
    if (stage_ == stage::closing) {
        return;
    }
    stage_ = stage::closing;
    frame f(out_, 0, id::close);
    put16(out_, code);
    put_short(out_, text);
    put32(out_, 0); // class and method at fault: not told
}

void session::on_connection_method(std::uint32_t id, cursor args)
{
    switch (id) {
    case id::start_ok: // anyone may come in
        send_tune();
        break;
    case id::tune_ok: {
        args.take16();
        const auto frame_max = args.take32();
        heartbeat_ = args.take16();
        frame_max_ = frame_max == 0 ? default_frame_max : std::min(frame_max, default_frame_max);
        if (frame_max_ < 4096)
            fail(530, "frame_max below 4096");
        break;
    }
    case id::open: {
        frame f(out_, 0, id::open_ok);
        put_short(out_, "");
        break;
    }
    case id::update_secret: put_method(out_, 0, id::update_secret_ok); break;
    case id::close:
        put_method(out_, 0, id::close_ok);
        stage_ = stage::over;
        break;
    case id::close_ok: stage_ = stage::over; break;
    default: fail(503, "unexpected connection method");
    }
}

void session::on_channel_method(std::uint16_t number, std::uint32_t id, cursor args)
{
    auto& channel = channels_[number];
    switch (id) {
    case id::publish: return start_publish(channel, args);
    case id::ack:
    case id::nack:
    case id::reject: return settle(number, id, args);
    case id::channel_close:
        close_channel(number);
        return put_method(out_, number, id::channel_close_ok);
    case id::channel_flow: {
        frame f(out_, number, id::channel_flow_ok);
        return put8(out_, args.take8());
    }
    case id::queue_declare: return declare_queue(number, args);
    case id::qos:
        args.take32();
        channel.window.limit(args.take16());
        return put_method(out_, number, id::qos_ok);
    case id::consume: return start_consumer(number, args);
    case id::cancel: return cancel_consumer(number, args);
    case id::get: {
        frame f(out_, number, id::get_empty);
        return put_short(out_, "");
    }
    case id::confirm_select:
        channel.confirms = answers_ = true;
        return (args.take8() & 1) != 0 ? void() : put_method(out_, number, id::confirm_select_ok);
    default:
        if (!answer_plainly(number, id, args))
            fail(540, "not implemented");
    }
}

void session::open_channel(std::uint16_t number)
{
    if (open_channel_at(number) != nullptr) {
        return fail(504, "channel is open already");
    }
    if (number >= channels_.size()) {
        channels_.resize(number + 1u);
    }
    channels_[number] = channel_state();
    channels_[number].is_open = true;
    frame f(out_, number, id::channel_open_ok);
    put_long(out_, "");
}

void session::close_channel(std::uint16_t number)
{
    std::erase_if(consumers_, [&](const consumer& c) { return c.channel == number; });
    channels_[number].is_open = false;
}

void session::declare_queue(std::uint16_t number, cursor args)
{
    args.take16();
    std::string name(args.take_short());
    const bool nowait = (args.take8() & 16) != 0;
    if (name.empty()) {
        name = "amq.gen-" + std::to_string(++names_);
    }
    channels_[number].last_queue = name;
    if (!nowait) {
        frame f(out_, number, id::queue_declare_ok);
        put_short(out_, name);
        put32(out_, 0); // messages
        put32(out_, 0); // consumers
    }
}

void session::start_consumer(std::uint16_t number, cursor args)
{
    args.take16();
    consumer made{number, false, "", std::string(args.take_short()), nullptr};
    made.tag = args.take_short();
    const auto bits = args.take8();
    made.no_ack = (bits & 2) != 0;
    if (made.queue.empty()) {
        made.queue = channels_[number].last_queue;
    }
    if (made.tag.empty()) {
        made.tag = "amq.ctag-" + std::to_string(++names_);
    }
    source_spec spec = options_.source;
    if (parse_source(made.queue, spec)) {
        made.source =
            std::make_shared<delivery_source>(spec, number, made.tag, made.queue, frame_max_);
    }
    if ((bits & 8) == 0) {
        frame f(out_, number, id::consume_ok);
        put_short(out_, made.tag);
    }
    consumers_.push_back(std::move(made));
    answers_ = true;
}

void session::cancel_consumer(std::uint16_t number, cursor args)
{
    const auto tag = args.take_short();
    std::erase_if(consumers_,
                  [&](const consumer& c) { return c.channel == number && c.tag == tag; });
    if ((args.take8() & 1) == 0) {
        frame f(out_, number, id::cancel_ok);
        put_short(out_, tag);
    }
}

/// Nothing is requeued: a rejected delivery counts as done.
void session::settle(std::uint16_t number, std::uint32_t id, cursor args)
{
    const auto tag = args.take64();
    const bool multiple = id != id::reject && (args.take8() & 1) != 0;
    channels_[number].window.settle(tag, multiple);
}

void session::start_publish(channel_state& channel, cursor args)
{
    if (channel.content.at != incoming::stage::none) {
        return fail(505, "publish inside a content");
    }
    args.take16();
    args.take_short();
    channel.content.at = incoming::stage::header;
    channel.content.echo = args.take_short() == "echo";
    if (args.failed())
        fail(502, "broken publish");
}

} // namespace bench
