using ResumableUploads.Abstractions;
using ResumableUploads.Benchmarks.Measuring;
using ResumableUploads.Benchmarks.Servers;

namespace ResumableUploads.Benchmarks.Cases;

/// <summary>One side of a case: a server, its workload, and the sides that it is compared with.</summary>
/// <param name="Name">The name in the report.</param>
/// <param name="Kind">The server.</param>
/// <param name="Workload">The uploads.</param>
internal sealed record UploadContender(string Name, ServerKind Kind, UploadWorkload Workload)
{
    public UploadProtocol Protocol { get; init; } = UploadProtocol.FileId;

    public Durability Durability { get; init; } = Durability.ProcessCrash;

    public bool InMemory { get; init; }

    public bool LargeBuffers { get; init; }

    /// <summary>Whether the files are stored on a tmpfs.</summary>
    public bool OnTmpfs { get; init; }

    /// <summary>The time by which the server delays its syncs.</summary>
    public TimeSpan SyncDelay { get; init; }

    /// <summary>What listens to the diagnostics of the server.</summary>
    public Listeners Listeners { get; init; }

    /// <summary>The sides to compare with, with the targets.</summary>
    public Baseline[] Baselines { get; init; } = [];

    /// <summary>The maximum allocations of the server, in KiB: per GiB, or per upload for small uploads.</summary>
    public double? MaxAllocatedKiB { get; init; }

    public bool IsSmall => Workload.Uploads > 8;

    public ServeArguments CreateServeArguments(string directory) => new(Kind, directory, Durability, InMemory: InMemory, LargeBuffers: LargeBuffers, SyncDelay: SyncDelay, Listeners: Listeners);

    public string GetDataDirectory(string directory) => Kind == ServerKind.Ours ? Path.Combine(directory, "store", "uploads") : directory;

    public double Rate(Sample sample) => IsSmall ? sample.UploadsPerSecond : sample.MegabytesPerSecond;

    public double Processor(Sample sample) => IsSmall ? sample.ProcessorPerUpload : sample.ProcessorPerGiB;

    public double Allocated(Sample sample) => IsSmall ? sample.AllocatedPerUpload : sample.AllocatedPerGiB;
}

/// <summary>A side to compare with.</summary>
/// <param name="Name">The name of the side.</param>
/// <param name="Rate">The minimum ratio of the rates (MB/s, or uploads per second for small uploads), or <see langword="null"/>.</param>
/// <param name="Processor">The maximum ratio of the processor times, or <see langword="null"/>.</param>
internal sealed record Baseline(string Name, double? Rate = null, double? Processor = null);
