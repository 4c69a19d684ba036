import java.io.*;
import java.util.*;
import java.util.concurrent.*;

/** Main GENERATION BOOTSTRAP CONFIG_FILE_OR_EMPTY [TEST...]: prints one line a scenario. */
public final class Main {
    static final long LIMIT_SECONDS = 60;

    public static void main(String[] args) throws Exception {
        String gen = args[0];
        Kit.bootstrap = args[1];
        Kit.client = load(args[2]);
        String denied = System.getenv("DENIED_CONFIG");
        Kit.denied = denied == null || denied.isEmpty() ? null : load(denied);
        Map<String, Scenario> all = new LinkedHashMap<>();
        Core.register(all);
        AdminCore.register(all);
        Denied.register(all);
        Without.register(all);
        Compat.register(all);

        Map<String, Scenario> chosen = new LinkedHashMap<>();
        if (args.length == 3)
            all.forEach((n, s) -> chosen.put(gen + "/" + n, s));
        for (int i = 3; i < args.length; i++) {
            String want = args[i];
            if (!want.startsWith(gen + "/"))
                continue;
            boolean glob = want.endsWith("*"), found = false;
            String stem = glob ? want.substring(0, want.length() - 1) : want;
            for (Map.Entry<String, Scenario> e : all.entrySet()) {
                String full = gen + "/" + e.getKey();
                if (glob ? full.startsWith(stem) : full.equals(stem)) {
                    chosen.put(full, e.getValue());
                    found = true;
                }
            }
            if (!found)
                say("FAIL " + want + " 0.0\n    no such scenario");
        }
        String jobs = System.getenv("JOBS");
        ExecutorService pool = Executors.newFixedThreadPool(jobs == null ? 1 : Integer.parseInt(jobs));
        for (Map.Entry<String, Scenario> e : chosen.entrySet())
            pool.submit(() -> one(e.getKey(), e.getValue()));
        pool.shutdown();
        pool.awaitTermination(1, TimeUnit.DAYS);
        Runtime.getRuntime().halt(0);
    }

    static void one(String name, Scenario s) {
        long t0 = System.nanoTime();
        Kit kit = new Kit();
        FutureTask<Void> task = new FutureTask<>(() -> {
            s.run(kit);
            return null;
        });
        Thread t = new Thread(task, name);
        t.setDaemon(true);
        t.start();
        String verdict = "PASS", why = null;
        try {
            task.get(LIMIT_SECONDS, TimeUnit.SECONDS);
        } catch (TimeoutException e) {
            verdict = "FAIL";
            StringBuilder at = new StringBuilder();
            for (StackTraceElement f : t.getStackTrace())
                if (at.length() == 0 && f.getFileName() != null && !f.getClassName().contains("."))
                    at.append(" at ").append(f);
            why = "not done within " + LIMIT_SECONDS + " s" + at;
            t.interrupt();
        } catch (ExecutionException e) {
            Throwable c = e.getCause();
            verdict = c instanceof Skip ? "SKIP" : "FAIL";
            why = c instanceof Skip ? c.getMessage() : describe(c);
            if (!(c instanceof Skip)) {
                System.err.println("--- " + name);
                c.printStackTrace();
            }
        } catch (InterruptedException e) {
            return;
        }
        double sec = (System.nanoTime() - t0) / 1e9;
        kit.close();
        say(String.format(Locale.ROOT, "%s %s %.3f", verdict, name, sec) + (why == null ? "" : "\n    " + why));
    }

    static String describe(Throwable c) {
        StringBuilder b = new StringBuilder();
        for (int i = 0; c != null && i < 4; i++, c = c.getCause()) {
            String at = "";
            for (StackTraceElement f : c.getStackTrace())
                if (!f.getClassName().contains(".") && !f.getClassName().startsWith("Kit")) {
                    at = " (" + f.getFileName() + ":" + f.getLineNumber() + ")";
                    break;
                }
            b.append(i == 0 ? "" : " <- ").append(c.getClass().getSimpleName()).append(": ")
                .append(String.valueOf(c.getMessage()).replaceAll("\\s+", " ")).append(i == 0 ? at : "");
        }
        return b.toString();
    }

    static synchronized void say(String s) {
        System.out.println(s);
        System.out.flush();
    }

    static Properties load(String file) throws IOException {
        Properties p = new Properties();
        if (!file.isEmpty())
            try (Reader r = new FileReader(file)) {
                p.load(r);
            }
        return p;
    }
}
