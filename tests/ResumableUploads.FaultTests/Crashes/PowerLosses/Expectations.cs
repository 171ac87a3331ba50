using ResumableUploads.Abstractions;
using ResumableUploads.FaultTests.Crashes.PowerLosses.Disks;

namespace ResumableUploads.FaultTests.Crashes.PowerLosses;

/// <summary>What was asked of a store and what it has acknowledged, at some point of a log.</summary>
internal sealed class Expectations
{
    private readonly Dictionary<UploadKey, ExpectedKey> _keys = [];

    public IEnumerable<UploadKey> Keys => _keys.Keys;

    public ExpectedKey this[UploadKey key]
    {
        get => _keys.GetValueOrDefault(key, new ExpectedKey());
        set => _keys[key] = value;
    }

    public static Expectations At(IReadOnlyList<DiskOperation> log, int prefix)
    {
        var expectations = new Expectations();
        foreach (Said said in log.Take(prefix).OfType<Said>())
        {
            said.Apply(expectations);
        }

        return expectations;
    }
}

/// <summary>What may be under a key.</summary>
internal sealed record ExpectedKey
{
    /// <summary>The upload whose creation was acknowledged.</summary>
    public ExpectedUpload? Now { get; init; }

    /// <summary>The upload that is being created.</summary>
    public ExpectedUpload? Next { get; init; }

    public bool IsBeingDeleted { get; init; }

    public bool MayBeAbsent => Now is null || IsBeingDeleted;
}

/// <summary>What may be found of an upload.</summary>
internal sealed record ExpectedUpload
{
    /// <summary>Bytes that count, as far as they were not lost before they were acknowledged.</summary>
    public byte[] Kept { get; init; } = [];

    /// <summary>The offset that was acknowledged.</summary>
    public long Least { get; init; }

    /// <summary>What is being appended.</summary>
    public byte[] UnderWay { get; init; } = [];

    /// <summary>Whether what is being appended counts together or not at all.</summary>
    public bool IsStaged { get; init; }

    /// <summary>Whether the store was told that staged bytes are wanted.</summary>
    public bool IsWanted { get; init; }

    /// <summary>The record that was acknowledged, and the one that is to follow.</summary>
    public UploadRecord[] Records { get; init; } = [];

    /// <summary>The outcome that was acknowledged, or null for none, and the one that is to follow.</summary>
    public byte[]?[] Outcomes { get; init; } = [null];

    public byte[] Sent => [.. Kept, .. UnderWay];

    public bool Allows(long offset) =>
        IsStaged ? offset == Kept.Length || (IsWanted && offset == Sent.Length) : offset >= Least && offset <= Sent.Length;

    public bool Allows(UploadRecord record) => Records.Any(one => AreSame(one, record));

    public bool Allows(byte[]? outcome) => Outcomes.Any(one => one is null ? outcome is null : one.AsSpan().SequenceEqual(outcome) && outcome is not null);

    private static bool AreSame(UploadRecord one, UploadRecord other) =>
        one.State == other.State && one.Length == other.Length && one.Data.Span.SequenceEqual(other.Data.Span);
}
