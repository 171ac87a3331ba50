using ResumableUploads.Abstractions;
using ResumableUploads.Benchmarks.Measuring;
using ResumableUploads.Benchmarks.Servers;

namespace ResumableUploads.Benchmarks.Cases;

/// <summary>One of the things that a case measures in turns: a server, what it is sent, and what it is compared with.</summary>
/// <param name="Name">How the report names it.</param>
/// <param name="Kind">Which server.</param>
/// <param name="Shape">What is sent.</param>
internal sealed record UploadContender(string Name, ServerKind Kind, UploadWorkload Shape)
{
    public UploadProtocol Protocol { get; init; } = UploadProtocol.FileId;

    public Durability Durability { get; init; } = Durability.ProcessCrash;

    public bool InMemory { get; init; }

    public bool LargeBuffers { get; init; }

    /// <summary>Whether the files go to memory that looks like a disk.</summary>
    public bool OnTmpfs { get; init; }

    /// <summary>What it is held against, each with the figures to reach.</summary>
    public Baseline[] Baselines { get; init; } = [];

    /// <summary>The most that its server may allocate, in KiB: for each GiB, or for each upload where these are small.</summary>
    public double? MaxAllocatedKiB { get; init; }

    public bool IsSmall => Shape.Uploads > 8;

    public ServeArguments CreateServeArguments(string directory) => new(Kind, directory, Durability, InMemory: InMemory, LargeBuffers: LargeBuffers);

    public string GetDataDirectory(string directory) => Kind == ServerKind.Ours ? Path.Combine(directory, "store", "uploads") : directory;

    public double Rate(Sample sample) => IsSmall ? sample.UploadsPerSecond : sample.MegabytesPerSecond;

    public double Processor(Sample sample) => IsSmall ? sample.ProcessorPerUpload : sample.ProcessorPerGiB;

    public double Allocated(Sample sample) => IsSmall ? sample.AllocatedPerUpload : sample.AllocatedPerGiB;
}

/// <param name="Name">The other side.</param>
/// <param name="Rate">At least this much of its MB/s, or of its uploads a second.</param>
/// <param name="Processor">At most this much of its processor time.</param>
internal sealed record Baseline(string Name, double? Rate = null, double? Processor = null);
