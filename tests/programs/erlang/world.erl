-module(world).
-export([server/0, server/1, client/1, square/1]).

square(N) -> N * N.

server() -> server([]).
server([]) ->
    register(server, self()),
    serve().

serve() ->
    receive
        {Who, Ask} -> Who ! {self(), lists:reverse(Ask)}, serve();
        stop -> timer:sleep(100), init:stop()
    end.

client([Server]) ->
    connect(Server),
    Pid = call(Server, "a message"),
    io:format("~p~n", [rpc:call(Server, world, square, [12])]),
    Self = self(),
    [spawn(Server, fun() -> timer:sleep(N rem 5), Self ! {N, square(N)} end) || N <- lists:seq(1, 100)],
    io:format("~p~n", [lists:sum([receive {N, Square} -> Square end || N <- lists:seq(1, 100)])]),
    {ok, Listener} = gen_tcp:listen(0, [binary, {active, false}, {packet, line}]),
    {ok, Port} = inet:port(Listener),
    spawn(fun() -> {ok, S} = gen_tcp:connect("localhost", Port, []), gen_tcp:send(S, "a line\n"), timer:sleep(1000) end),
    {ok, Socket} = gen_tcp:accept(Listener),
    io:format("~p~n", [gen_tcp:recv(Socket, 0)]),
    io:format("~s", [os:cmd("echo from a command")]),
    monitor(process, Pid),
    {server, Server} ! stop,
    receive {'DOWN', _, process, Pid, _} -> io:format("the server is gone~n") end,
    init:stop().

connect(Server) ->
    case net_adm:ping(Server) of
        pong -> case rpc:call(Server, erlang, whereis, [server]) of
                    undefined -> timer:sleep(100), connect(Server);
                    _ -> ok
                end;
        pang -> timer:sleep(100), connect(Server)
    end.

call(Server, Text) ->
    {server, Server} ! {self(), Text},
    receive {Pid, Answer} -> io:format("~s~n", [Answer]), Pid end.
