using ResumableUploads.Abstractions;
using ResumableUploads.FaultTests.Crashes.PowerLosses.Disks;

namespace ResumableUploads.FaultTests.Crashes.PowerLosses;

/// <summary>What a store was asked to do and what it has acknowledged at a point of a log.</summary>
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
        foreach (Noted entry in log.Take(prefix).OfType<Noted>())
        {
            entry.Apply(expectations);
        }

        return expectations;
    }
}

/// <summary>The allowed states of a key.</summary>
internal sealed record ExpectedKey
{
    /// <summary>Gets the upload whose creation was acknowledged.</summary>
    public ExpectedUpload? Now { get; init; }

    /// <summary>Gets the upload that is being created.</summary>
    public ExpectedUpload? Next { get; init; }

    public bool IsBeingDeleted { get; init; }

    public bool MayBeAbsent => Now is null || IsBeingDeleted;
}

/// <summary>The allowed states of an upload.</summary>
internal sealed record ExpectedUpload
{
    /// <summary>Gets the bytes that are stored unless they were lost before they were acknowledged.</summary>
    public byte[] Kept { get; init; } = [];

    /// <summary>Gets the acknowledged offset.</summary>
    public long AcknowledgedOffset { get; init; }

    /// <summary>Gets the bytes that are being appended.</summary>
    public byte[] UnderWay { get; init; } = [];

    /// <summary>Gets whether the append is all or nothing.</summary>
    public bool IsStaged { get; init; }

    /// <summary>Gets whether the store was asked to keep the staged bytes.</summary>
    public bool IsWanted { get; init; }

    /// <summary>Gets the acknowledged record, and the pending one if there is an update.</summary>
    public UploadRecord[] Records { get; init; } = [];

    /// <summary>Gets the acknowledged stored response, or null, and the pending one if there is an update.</summary>
    public byte[]?[] Outcomes { get; init; } = [null];

    /// <summary>Gets the record that is stored together with the last response, or null. The record must not be stored without the response.</summary>
    public UploadRecord? CompletedRecord { get; init; }

    public byte[] Sent => [.. Kept, .. UnderWay];

    public bool Allows(long offset) =>
        IsStaged ? offset == Kept.Length || (IsWanted && offset == Sent.Length) : offset >= AcknowledgedOffset && offset <= Sent.Length;

    public bool Allows(UploadRecord record) => Records.Any(one => AreSame(one, record));

    public bool Allows(byte[]? outcome) => Outcomes.Any(one => one is null ? outcome is null : one.AsSpan().SequenceEqual(outcome) && outcome is not null);

    /// <summary>Returns whether a record and a response may be stored at the same time.</summary>
    public bool Allows(UploadRecord record, byte[]? outcome) =>
        CompletedRecord is null || !AreSame(CompletedRecord, record) || (outcome is not null && outcome.AsSpan().SequenceEqual(Outcomes[^1]));

    private static bool AreSame(UploadRecord one, UploadRecord other) =>
        one.State == other.State && one.Length == other.Length && one.Data.Span.SequenceEqual(other.Data.Span);
}
