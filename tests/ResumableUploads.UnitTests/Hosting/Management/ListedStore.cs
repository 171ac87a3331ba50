using System.Globalization;
using System.Runtime.CompilerServices;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Stores.Memory;

namespace ResumableUploads.UnitTests.Hosting.Management;

/// <summary>A store whose listing has any number of uploads, and counts those that were read.</summary>
internal sealed class ListedStore : DelegatingUploadStore
{
    private static readonly ReadOnlyMemory<byte> Data = new EngineRecord { Protocol = "tus", Created = DateTimeOffset.UnixEpoch }.ToBytes();

    private const string Owner = "o";
    private const int IdLength = 8;

    public ListedStore()
        : base(new MemoryUploadStore())
    {
    }

    /// <summary>Gets or sets the number of uploads in the listing.</summary>
    public int Count { get; set; }

    /// <summary>Gets or sets the function that returns the state of an upload by its index.</summary>
    public Func<int, UploadState> GetState { get; set; } = static _ => UploadState.Receiving;

    /// <summary>Gets the number of uploads that were read.</summary>
    public int Reads { get; private set; }

    public override async IAsyncEnumerable<UploadInfo> ListAsync(UploadQuery query, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.CompletedTask;
        int first = query.StartAfter is { } key ? int.Parse(key.Id, CultureInfo.InvariantCulture) + 1 : 0;
        for (int i = first; i < Count; i++)
        {
            Reads++;
            yield return Create(i);
        }
    }

    public override ValueTask<UploadInfo?> GetAsync(UploadKey key, CancellationToken cancellationToken) => ValueTask.FromResult(
        key.Owner == Owner && key.Id.Length == IdLength && int.TryParse(key.Id, CultureInfo.InvariantCulture, out int index) && index < Count ? Create(index) : null);

    private UploadInfo Create(int index) => new()
    {
        Key = new UploadKey(Owner, index.ToString("d8", CultureInfo.InvariantCulture)),
        Version = "1",
        Offset = index,
        Record = new UploadRecord { State = GetState(index), Data = Data },
        LastModified = DateTimeOffset.UnixEpoch,
    };
}
