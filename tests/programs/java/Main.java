import java.io.*;
import java.net.*;
import java.nio.ByteBuffer;
import java.nio.channels.*;
import java.util.*;
import java.util.concurrent.*;
import java.util.concurrent.atomic.*;
import java.util.concurrent.locks.*;
import java.util.stream.*;

/** Pools, locks, parallel streams, spinning, sockets of both kinds, collections of garbage, timers and children. */
public class Main {
    static volatile boolean ready;

    public static void main(String[] args) throws Exception {
        pool();
        locks();
        System.out.println("parallel " + LongStream.range(0, 2_000_000).parallel().map(n -> n * n % 7).sum());
        spin();
        blockingSockets();
        selector();
        garbage();
        timers();
        child();
    }

    static void pool() throws Exception {
        ExecutorService pool = Executors.newFixedThreadPool(8);
        List<Future<Long>> parts = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            final int part = i;
            parts.add(pool.submit(() -> LongStream.range(0, 20_000).map(n -> n ^ part).sum()));
        }
        long sum = 0;
        for (Future<Long> part : parts) sum += part.get();
        pool.shutdown();
        System.out.println("pool " + sum + " " + pool.awaitTermination(1, TimeUnit.MINUTES));
    }

    static void locks() throws Exception {
        ReentrantLock lock = new ReentrantLock();
        Condition turn = lock.newCondition();
        int[] state = {0, 0};
        Thread[] threads = new Thread[4];
        for (int i = 0; i < threads.length; i++) {
            final int mine = i;
            threads[i] = new Thread(() -> {
                for (int round = 0; round < 200; round++) {
                    lock.lock();
                    try {
                        while (state[0] % 4 != mine) turn.awaitUninterruptibly();
                        state[0]++;
                        turn.signalAll();
                    } finally {
                        lock.unlock();
                    }
                    synchronized (state) {
                        state[1]++;
                    }
                }
            });
            threads[i].start();
        }
        for (Thread thread : threads) thread.join();
        System.out.println("locks " + state[0] + " " + state[1]);
    }

    /** Waits for another thread without a call: in the interpreter first, in compiled code then. */
    static void spin() throws Exception {
        for (int round = 0; round < 3; round++) {
            ready = false;
            Thread other = new Thread(() -> {
                try {
                    Thread.sleep(20);
                } catch (InterruptedException e) {
                    throw new RuntimeException(e);
                }
                ready = true;
            });
            other.start();
            while (!ready) {
                if (round == 2) Thread.onSpinWait();
            }
            other.join();
        }
        System.out.println("spun");
    }

    static void blockingSockets() throws Exception {
        try (ServerSocket server = new ServerSocket(0)) {
            Thread thread = new Thread(() -> {
                try {
                    for (int i = 0; i < 3; i++) {
                        try (Socket peer = server.accept()) {
                            BufferedReader in = new BufferedReader(new InputStreamReader(peer.getInputStream()));
                            peer.getOutputStream().write((in.readLine().toUpperCase() + "\n").getBytes());
                        }
                    }
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
            thread.start();
            for (String word : new String[] {"one", "two", "three"}) {
                try (Socket socket = new Socket("localhost", server.getLocalPort())) {
                    socket.getOutputStream().write((word + "\n").getBytes());
                    System.out.println(new BufferedReader(new InputStreamReader(socket.getInputStream())).readLine());
                }
            }
            thread.join();
        }
    }

    static void selector() throws Exception {
        Pipe pipe = Pipe.open();
        Selector selector = Selector.open();
        pipe.source().configureBlocking(false);
        pipe.source().register(selector, SelectionKey.OP_READ);
        System.out.println("selected " + selector.select(50));
        pipe.sink().write(ByteBuffer.wrap("pipe".getBytes()));
        System.out.println("selected " + selector.select(50));
        ByteBuffer bytes = ByteBuffer.allocate(8);
        System.out.println("read " + pipe.source().read(bytes));
        selector.close();
    }

    static void garbage() {
        List<byte[]> kept = new ArrayList<>();
        for (int i = 0; i < 20_000; i++) {
            byte[] block = new byte[10_000];
            if (i % 1000 == 0) kept.add(block);
        }
        System.gc();
        System.out.println("kept " + kept.size());
    }

    static void timers() throws Exception {
        ScheduledExecutorService timer = Executors.newScheduledThreadPool(2);
        AtomicInteger ticks = new AtomicInteger();
        ScheduledFuture<?> ticking = timer.scheduleAtFixedRate(ticks::incrementAndGet, 100, 100, TimeUnit.MILLISECONDS);
        Thread.sleep(1050);
        ticking.cancel(false);
        timer.shutdown();
        System.out.println("ticks " + (ticks.get() >= 9 && ticks.get() <= 11));
    }

    static void child() throws Exception {
        Process child = new ProcessBuilder("sh", "-c", "cat; exit 3").start();
        child.getOutputStream().write("from a child\n".getBytes());
        child.getOutputStream().close();
        System.out.print(new String(child.getInputStream().readAllBytes()));
        System.out.println("child " + child.waitFor());
    }
}
