namespace ResumableUploads.Engine.Quotas;

/// <summary>Quota usages by network, and their total.</summary>
internal sealed class NetworkUsage
{
    private readonly Dictionary<string, QuotaUsage> _networks = new(StringComparer.Ordinal);

    public QuotaUsage Total { get; private set; }

    public IEnumerable<KeyValuePair<string, QuotaUsage>> Networks => _networks;

    public QuotaUsage this[string network] => _networks.GetValueOrDefault(network);

    /// <summary>Adds a change, which may be negative.</summary>
    public void Add(string network, QuotaUsage change)
    {
        QuotaUsage usage = (this[network] + change).ClampToZero();
        Total = (Total + (usage - this[network])).ClampToZero();
        if (usage == default)
        {
            _networks.Remove(network);
        }
        else
        {
            _networks[network] = usage;
        }
    }
}
