using System.Runtime.InteropServices;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine.Diagnostics;

namespace ResumableUploads.Engine.Expiration;

/// <summary>Counts the uploads of a sweep by endpoint and by owner, with bounded memory. Not thread-safe.</summary>
internal sealed class UsageTotals
{
    /// <summary>The number of endpoints that are counted one by one. The others have one common entry.</summary>
    public const int MaxEndpoints = 100;

    /// <summary>The number of owners in a result.</summary>
    public const int ReportedOwners = 20;

    /// <summary>The number of owners in memory at which those with the fewest bytes are removed.</summary>
    public const int MaxOwners = 2_000;

    private readonly Dictionary<UploadOrigin, UploadCount> _endpoints = [];
    private readonly Dictionary<string, UploadCount> _owners = new(StringComparer.Ordinal);

    /// <summary>The owner with which the sweep began. A sweep that continues at a checkpoint lists the rest of its uploads at the end.</summary>
    private string? _firstOwner;

    /// <summary>Gets the number of owners in memory.</summary>
    public int OwnerCount => _owners.Count;

    /// <summary>Counts an upload.</summary>
    public void Add(UploadInfo info)
    {
        UploadOrigin origin = GetOrigin(info);
        if (_endpoints.Count >= MaxEndpoints && !_endpoints.ContainsKey(origin))
        {
            origin = default;
        }

        ref UploadCount endpoint = ref CollectionsMarshal.GetValueRefOrAddDefault(_endpoints, origin, out _);
        endpoint = endpoint.Add(info);

        _firstOwner ??= info.Key.Owner;
        if (_owners.Count >= MaxOwners && !_owners.ContainsKey(info.Key.Owner))
        {
            RemoveSmallOwners();
        }

        ref UploadCount owner = ref CollectionsMarshal.GetValueRefOrAddDefault(_owners, info.Key.Owner, out _);
        owner = owner.Add(info);
    }

    /// <summary>Returns the endpoints, those with the most bytes first. The entry of all others has no names.</summary>
    public KeyValuePair<UploadOrigin, UploadCount>[] GetEndpoints() => [.. Sort(_endpoints, static origin => origin.Place)];

    /// <summary>
    /// Returns the owners with the most bytes. Exact if there were at most <see cref="MaxOwners"/> owners, or if all uploads of an owner were added one after the other;
    /// otherwise an owner can be missing or have too few bytes.
    /// </summary>
    public KeyValuePair<string, UploadCount>[] GetTopOwners() => [.. Sort(_owners, static owner => owner).Take(ReportedOwners)];

    private static IOrderedEnumerable<KeyValuePair<TKey, UploadCount>> Sort<TKey>(IEnumerable<KeyValuePair<TKey, UploadCount>> counts, Func<TKey, string?> getName) => counts
        .OrderByDescending(static entry => entry.Value.Bytes)
        .ThenByDescending(static entry => entry.Value.Uploads)
        .ThenBy(entry => getName(entry.Key), StringComparer.Ordinal);

    private void RemoveSmallOwners()
    {
        foreach ((string owner, _) in Sort(_owners, static owner => owner).Skip(MaxOwners / 2).ToList())
        {
            if (owner != _firstOwner)
            {
                _owners.Remove(owner);
            }
        }
    }

    /// <summary>Returns the protocol and the endpoint of an upload, or neither if its record cannot be read.</summary>
    private static UploadOrigin GetOrigin(UploadInfo info)
    {
        try
        {
            var origin = UploadOrigin.From(EngineRecord.From(info));
            return origin with { Place = origin.Endpoint };
        }
        catch (UploadStoreException)
        {
            return default;
        }
    }
}
