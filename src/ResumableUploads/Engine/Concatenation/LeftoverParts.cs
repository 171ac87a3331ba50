using ResumableUploads.Abstractions;

namespace ResumableUploads.Engine.Concatenation;

/// <summary>
/// Removes the parts that finished concatenations have left behind, because their process crashed or the store failed. The sweep of every process checks each
/// finished concatenation once, and after a failure again.
/// </summary>
internal sealed class LeftoverParts(ConcatenationService concatenation)
{
    private readonly Lock _lock = new();

    /// <summary>Owners for which a removal has failed. Each attempt lists all their uploads, so there is no other one in the same sweep.</summary>
    private readonly HashSet<string> _failedOwners = new(StringComparer.Ordinal);

    /// <summary>
    /// The hash codes of the concatenations whose parts need not be removed any more; the keys would take fifty times as much memory. In case of a collision,
    /// the parts stay until they expire.
    /// </summary>
    private HashSet<int> _checked = [];

    private HashSet<int> _checkedInThisSweep = [];

    /// <summary>Removes the parts of a concatenation that has all its bytes.</summary>
    public async ValueTask RemoveAsync(UploadInfo info)
    {
        int hash = info.Key.GetHashCode();
        lock (_lock)
        {
            if (_checked.Contains(hash))
            {
                _checkedInThisSweep.Add(hash);
                return;
            }

            if (_failedOwners.Contains(info.Key.Owner))
            {
                return;
            }
        }

        bool isRemoved = await concatenation.RemovePartsAsync(info);
        lock (_lock)
        {
            _ = isRemoved ? _checkedInThisSweep.Add(hash) : _failedOwners.Add(info.Key.Owner);
        }
    }

    /// <summary>Forgets the concatenations that no longer exist.</summary>
    public void OnSweepCompleted()
    {
        lock (_lock)
        {
            (_checked, _checkedInThisSweep) = (_checkedInThisSweep, []);
            _failedOwners.Clear();
        }
    }
}
