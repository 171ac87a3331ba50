using ResumableUploads.Abstractions;
using ResumableUploads.Benchmarks.Measuring;
using ResumableUploads.Benchmarks.Servers;

namespace ResumableUploads.Benchmarks.Cases;

/// <summary>The upload cases.</summary>
internal static class UploadCases
{
    private const string Ours = "ours";
    private const string OursLarge = "ours, large buffers";
    private const string Bare = "bare loop, 4 KiB blocks";
    private const string BareLarge = "bare loop, 64 KiB blocks";
    private const string BareTwo = "bare loop, two files each";
    private const string BareTwoLarge = "bare loop, two files each, 64 KiB blocks";
    private const string Node = "@tus/server";
    private const double MiB = 1024;
    private const double Third = 1 / 3.0;
    private const double MaxSmallKiB = 8;
    private static readonly TimeSpan SlowSync = TimeSpan.FromMilliseconds(5);

    public static (string Name, Action<BenchmarkArguments, WorkDirectory, Report> Measure)[] All =>
    [
        ("large", static (run, workDirectory, report) => UploadCase.Measure("large", Large(run.LargeSize), run, workDirectory, report)),
        ("shapes", static (run, workDirectory, report) => UploadCase.Measure("shapes", Shapes(run.LargeSize), run, workDirectory, report)),
        ("protocols", static (run, workDirectory, report) => UploadCase.Measure("protocols", Protocols(run.LargeSize), run, workDirectory, report)),
        ("powerloss", static (run, workDirectory, report) => UploadCase.Measure("powerloss", PowerLoss(run.LargeSize), run, workDirectory, report)),
        ("small", static (run, workDirectory, report) => UploadCase.Measure("small", Small(run.Quick ? 15 : 150), run, workDirectory, report)),
        ("listeners", static (run, workDirectory, report) => UploadCase.Measure("listeners", WithListeners(run.Quick ? 15 : 150), run, workDirectory, report)),
        ("two-requests", static (run, workDirectory, report) => UploadCase.Measure("two-requests", TwoRequests(run.Quick ? 15 : 150, Durability.ProcessCrash, 0.75, 5), run, workDirectory, report)),
        ("two-requests-powerloss", static (run, workDirectory, report) => UploadCase.Measure("two-requests-powerloss", TwoRequests(run.Quick ? 5 : 30, Durability.PowerLoss, 0.6, 3), run, workDirectory, report)),
        ("small-powerloss", static (run, workDirectory, report) => UploadCase.Measure("small-powerloss", SmallPowerLoss(UploadWorkload.SmallInOneRequest(run.Quick ? 5 : 30)), run, workDirectory, report)),
        ("small-slow-disk", static (run, workDirectory, report) => UploadCase.Measure("small-slow-disk", SmallPowerLoss(UploadWorkload.SixtyFourConcurrent(run.Quick ? 5 : 30), SlowSync, minBare: 1), run, workDirectory, report)),
    ];

    private static UploadContender[] Large(long size)
    {
        UploadWorkload workload = UploadWorkload.Large(size);
        return
        [
            new(OursLarge, ServerKind.Ours, workload)
            {
                LargeBuffers = true,
                MaxAllocatedKiB = MiB,
                Baselines = [new(BareLarge, 0.95, 1.1), new(Bare, 1.5), new(Node, 3, Third)],
            },
            new(Ours, ServerKind.Ours, workload) { MaxAllocatedKiB = MiB, Baselines = [new(Bare, 0.95, 1.1)] },
            new(BareLarge, ServerKind.Bare, workload) { LargeBuffers = true },
            new(Bare, ServerKind.Bare, workload),
            new("CopyToAsync, 4 KiB blocks", ServerKind.CopyTo, workload),
            new("discard, 4 KiB blocks", ServerKind.Discard, workload),
            new("discard, 64 KiB blocks", ServerKind.Discard, workload) { LargeBuffers = true },
            new(Node, ServerKind.TusNode, workload) { Protocol = UploadProtocol.Tus },
        ];
    }

    private static UploadContender[] Shapes(long size) =>
    [
        new("ours, one body", ServerKind.Ours, UploadWorkload.Large(size)) { LargeBuffers = true },
        new("ours, 5 MiB chunks", ServerKind.Ours, UploadWorkload.Chunked(size)) { LargeBuffers = true, Baselines = [new("ours, one body", 0.93)] },
        new("bare loop, one body", ServerKind.Bare, UploadWorkload.Large(size)) { LargeBuffers = true },
        new("bare loop, 5 MiB chunks", ServerKind.Bare, UploadWorkload.Chunked(size)) { LargeBuffers = true, Baselines = [new("bare loop, one body")] },
        new("ours, memory store", ServerKind.Ours, UploadWorkload.Large(size)) { LargeBuffers = true, InMemory = true, Baselines = [new("ours, one body")] },
        new("ours, tmpfs", ServerKind.Ours, UploadWorkload.Large(size)) { LargeBuffers = true, OnTmpfs = true, Baselines = [new("bare loop, tmpfs", 0.95, 1.1)] },
        new("bare loop, tmpfs", ServerKind.Bare, UploadWorkload.Large(size)) { LargeBuffers = true, OnTmpfs = true },
        new("ours, 8 at a time", ServerKind.Ours, UploadWorkload.EightConcurrent(size)) { LargeBuffers = true, Baselines = [new("bare loop, 8 at a time")] },
        new("bare loop, 8 at a time", ServerKind.Bare, UploadWorkload.EightConcurrent(size)) { LargeBuffers = true },
    ];

    private static UploadContender[] Protocols(long size) =>
    [
        new("file-id", ServerKind.Ours, UploadWorkload.Chunked(size)) { LargeBuffers = true },
        new("tus", ServerKind.Ours, UploadWorkload.Chunked(size)) { LargeBuffers = true, Protocol = UploadProtocol.Tus, Baselines = [new("file-id"), new(Node)] },
        new("IETF", ServerKind.Ours, UploadWorkload.Chunked(size)) { LargeBuffers = true, Protocol = UploadProtocol.Ietf, Baselines = [new("file-id")] },
        new(Node, ServerKind.TusNode, UploadWorkload.Chunked(size)) { Protocol = UploadProtocol.Tus },
    ];

    private static UploadContender[] PowerLoss(long size) =>
    [
        new(OursLarge, ServerKind.Ours, UploadWorkload.Large(size))
        {
            LargeBuffers = true,
            Durability = Durability.PowerLoss,
            Baselines = [new("bare loop, one sync at the end", 0.9)],
        },
        new("bare loop, one sync at the end", ServerKind.Bare, UploadWorkload.Large(size)) { LargeBuffers = true, Durability = Durability.PowerLoss },
    ];

    private static UploadContender[] Small(int each)
    {
        UploadWorkload workload = UploadWorkload.SmallInOneRequest(each);
        return
        [
            new(Ours, ServerKind.Ours, workload) { MaxAllocatedKiB = MaxSmallKiB, Baselines = [new(BareTwo, 0.9)] },
            new(BareTwo, ServerKind.Bare, workload),
            new(OursLarge, ServerKind.Ours, workload) { LargeBuffers = true, MaxAllocatedKiB = MaxSmallKiB, Baselines = [new(BareTwoLarge, 0.9), new(BareTwo)] },
            new(BareTwoLarge, ServerKind.Bare, workload) { LargeBuffers = true },
            new("ours, tus", ServerKind.Ours, workload) { Protocol = UploadProtocol.Tus, Baselines = [new(BareTwo), new(Node, 5)] },
            new(Node, ServerKind.TusNode, workload) { Protocol = UploadProtocol.Tus },
            new("ours, IETF", ServerKind.Ours, workload) { Protocol = UploadProtocol.Ietf, Baselines = [new(BareTwo)] },
            new("ours, tus in two requests", ServerKind.Ours, UploadWorkload.SmallInTwoRequests(each)) { Protocol = UploadProtocol.Tus },
            new("ours, tus resumed", ServerKind.Ours, UploadWorkload.Resumed(each)) { Protocol = UploadProtocol.Tus },
        ];
    }

    /// <summary>Small files with listeners to the diagnostics. The same server twice shows the noise.</summary>
    private static UploadContender[] WithListeners(int each)
    {
        UploadWorkload workload = UploadWorkload.SmallInOneRequest(each);
        return
        [
            new(Ours, ServerKind.Ours, workload),
            new("ours again", ServerKind.Ours, workload) { Baselines = [new(Ours)] },
            new("ours, metrics", ServerKind.Ours, workload) { Listeners = Listeners.Metrics, Baselines = [new(Ours)] },
            new("ours, metrics and traces", ServerKind.Ours, workload) { Listeners = Listeners.MetricsAndTraces, Baselines = [new(Ours, 0.98)] },
        ];
    }

    private static UploadContender[] SmallPowerLoss(UploadWorkload workload, TimeSpan syncDelay = default, double? minBare = null) =>
    [
        new(Ours, ServerKind.Ours, workload) { Durability = Durability.PowerLoss, SyncDelay = syncDelay, Baselines = [new("bare loop, one sync each", minBare)] },
        new("bare loop, one sync each", ServerKind.Bare, workload) { Durability = Durability.PowerLoss, SyncDelay = syncDelay },
    ];

    /// <summary>Creation, then PATCH, as tus clients do by default.</summary>
    /// <param name="each">The number of uploads per connection.</param>
    /// <param name="durability">The durability of the server and of the bare server.</param>
    /// <param name="minBare">The target of the ratio to the bare server.</param>
    /// <param name="minNode">The target of the ratio to the tus server of Node.js, which never syncs.</param>
    private static UploadContender[] TwoRequests(int each, Durability durability, double minBare, double minNode)
    {
        const string Bare = "bare server, two files each";
        UploadWorkload workload = UploadWorkload.SmallInTwoRequests(each);
        return
        [
            new(Ours, ServerKind.Ours, workload) { Protocol = UploadProtocol.Tus, Durability = durability, Baselines = [new(Bare, minBare), new(Node, minNode)] },
            new(Bare, ServerKind.Bare, workload) { Protocol = UploadProtocol.Tus, Durability = durability },
            new(Node, ServerKind.TusNode, workload) { Protocol = UploadProtocol.Tus },
        ];
    }
}
