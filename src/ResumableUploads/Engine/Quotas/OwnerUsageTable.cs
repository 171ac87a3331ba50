using System.Collections.Concurrent;

namespace ResumableUploads.Engine.Quotas;

/// <summary>The usage of the owners of uploads in one store. All engines with the same store share it, and each has limits of its own.</summary>
internal sealed class OwnerUsageTable() : ConcurrentDictionary<string, OwnerUsage>(StringComparer.Ordinal);
