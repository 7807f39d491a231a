# Bunny, Ruby's client: cases for clients/harness.py.
require "bunny"
require "timeout"

URI_OF_BROKER = ARGV.last
$count = 0
$names = 0

def name(what = "q") = "clients.bunny.#{what}.#{$$}.#{$names += 1}"

def equal(found, expected)
  raise "#{found.inspect} and not #{expected.inspect}" unless found == expected
end

def until_true(what)
  Timeout.timeout(10, nil, "waited for #{what}") do
    loop do
      value = yield
      return value if value
      sleep 0.005
    end
  end
end

def example(title)
  $count += 1
  Timeout.timeout(25) { yield }
  puts "ok #{title}"
rescue Exception => e
  puts "not ok #{title}: #{e.class} #{e.message} #{e.backtrace.first(4).join(' | ')}".gsub("\n", " ")
end

def connected(**options)
  c = Bunny.new(URI_OF_BROKER, automatically_recover: false, logger: Logger.new(IO::NULL), **options).start
  yield c
ensure
  c.close if c && c.open?
end

def with_channel(title)
  example(title) { connected { |c| yield c.create_channel, c } }
end

def raises(kind, pattern = //)
  yield
rescue kind => e
  raise "#{e.message} is not like #{pattern}" unless e.message =~ pattern
  e
else
  raise "no #{kind}"
end

def take(queue) = until_true("a message") { (m = queue.pop)[0] && m }

example("wrong password") do
  raises(Bunny::AuthenticationFailureError) do
    Bunny.new(URI_OF_BROKER.sub("guest:guest", "guest:wrong"), automatically_recover: false, logger: Logger.new(IO::NULL)).start
  end
end

with_channel("queues and messages") do |ch|
  q = ch.queue(name, exclusive: true)
  equal [q.message_count, q.consumer_count], [0, 0]
  q.publish("Hase", persistent: true, content_type: "a/b", priority: 3, correlation_id: "c", reply_to: "r", message_id: "m",
            type: "t", app_id: "a", user_id: "guest", expiration: "60000", timestamp: 1700000000,
            headers: { "text" => "x", "int" => 70_000, "minus" => -5, "float" => 1.5, "yes" => true, "none" => nil,
                       "list" => [1, "two"], "table" => { "deep" => { "n" => 1 } } })
  info, properties, body = take(q)
  equal body, "Hase"
  equal info[:routing_key], q.name
  equal properties[:headers], { "text" => "x", "int" => 70_000, "minus" => -5, "float" => 1.5, "yes" => true, "none" => nil,
                                "list" => [1, "two"], "table" => { "deep" => { "n" => 1 } } }
  equal [properties[:delivery_mode], properties[:priority], properties[:correlation_id], properties[:timestamp].to_i],
        [2, 3, "c", 1700000000]
  q.publish("y")
  until_true("it") { q.message_count == 1 }
  q.purge
  equal q.message_count, 0
  equal q.delete.message_count, 0
end

with_channel("a body of many frames, and none") do |ch|
  q = ch.queue("", exclusive: true)
  ["x" * (3 << 20), ""].each do |body|
    q.publish(body)
    raise "another body" unless take(q)[2] == body
  end
end

with_channel("consumers, acknowledgements and prefetch") do |ch|
  ch.prefetch(3)
  q = ch.queue("", exclusive: true)
  6.times { |i| q.publish(i.to_s) }
  found = Queue.new
  consumer = q.subscribe(manual_ack: true) { |info, _, body| found << [info.delivery_tag, body] }
  first = 3.times.map { Timeout.timeout(10) { found.pop } }
  equal first.map(&:last), %w[0 1 2]
  ch.queue("", exclusive: true) # a round trip
  equal found.size, 0
  ch.ack(first[1][0], true)
  ch.nack(first[2][0], false, true)
  rest = 3.times.map { Timeout.timeout(10) { found.pop } }
  equal rest.map(&:last), %w[3 4 2] # two had credit before the one came back
  consumer.cancel
end

with_channel("exchanges of all types, bound to each other") do |ch|
  topic = ch.topic(name("x"), auto_delete: true)
  fanout = ch.fanout(name("x"), auto_delete: true)
  headers = ch.headers(name("x"), auto_delete: true)
  direct = ch.direct(name("x"), auto_delete: true)
  fanout.bind(topic, routing_key: "a.#")
  q = ch.queue("", exclusive: true)
  q.bind(fanout).bind(direct, routing_key: "k").bind(headers, arguments: { "x-match" => "all", "n" => 1 })
  topic.publish("1", routing_key: "a.b")
  direct.publish("2", routing_key: "k")
  headers.publish("3", headers: { "n" => 1 })
  headers.publish("no", headers: { "n" => 2 })
  equal 3.times.map { take(q)[2] }, %w[1 2 3]
  q.unbind(direct, routing_key: "k")
  fanout.unbind(topic, routing_key: "a.#")
  raises(Bunny::NotFound, /no exchange/) { ch.exchange_declare(name("x"), "direct", passive: true) }
end

with_channel("confirms") do |ch|
  ch.confirm_select
  q = ch.queue("", exclusive: true, arguments: { "x-max-length" => 5, "x-overflow" => "reject-publish" })
  5.times { q.publish("x") }
  equal ch.wait_for_confirms, true
  q.publish("x")
  equal ch.wait_for_confirms, false
  equal ch.nacked_set.size, 1
end

with_channel("returns") do |ch|
  back = Queue.new
  x = ch.default_exchange
  x.on_return { |info, properties, body| back << [info.reply_code, info.reply_text, properties[:message_id], body] }
  x.publish("x", routing_key: "nowhere", mandatory: true, message_id: "7")
  equal Timeout.timeout(10) { back.pop }, [312, "NO_ROUTE", "7", "x"]
end

with_channel("a consumer is told of its cancellation") do |ch, c|
  q = ch.queue(name, auto_delete: false)
  told = Queue.new
  q.subscribe_with(Bunny::Consumer.new(ch, q).tap { |x| x.on_cancellation { |m| told << m.consumer_tag } })
  c.create_channel.queue_delete(q.name)
  Timeout.timeout(10) { told.pop }
end

with_channel("transactions") do |ch|
  q = ch.queue("", exclusive: true)
  ch.tx_select
  q.publish("1")
  ch.tx_rollback
  q.publish("2")
  ch.tx_commit
  equal take(q)[2], "2"
end

with_channel("recover") do |ch|
  q = ch.queue("", exclusive: true)
  q.publish("x")
  until_true("it") { q.pop(manual_ack: true)[0] }
  ch.basic_recover(true)
  equal take(q)[0].redelivered?, true
end

with_channel("errors") do |ch, c|
  q = ch.queue(name, exclusive: true)
  raises(Bunny::PreconditionFailed, /inequivalent arg 'auto_delete'/) { c.create_channel.queue(q.name, exclusive: true, auto_delete: true) }
  raises(Bunny::AccessRefused, /reserved prefix/) { c.create_channel.queue("amq.mine") }
  raises(Bunny::NotFound, /no queue/) { c.create_channel.queue(name, passive: true) }
  connected do |other|
    raises(Bunny::ResourceLocked, /RESOURCE_LOCKED/) { other.create_channel.queue(q.name, exclusive: true) }
  end
end

with_channel("dead letters") do |ch|
  dead = ch.queue("", exclusive: true)
  q = ch.queue("", exclusive: true, arguments: { "x-message-ttl" => 20, "x-dead-letter-exchange" => "", "x-dead-letter-routing-key" => dead.name })
  q.publish("x")
  death = take(dead)[1][:headers]["x-death"][0]
  equal [death["reason"], death["count"], death["queue"]], ["expired", 1, q.name]
end

example("heartbeats and a name") do
  connected(heartbeat: 1, connection_name: "hare") { |c| equal c.heartbeat, 1 }
end

puts "1..#{$count}"
