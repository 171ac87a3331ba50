using Microsoft.Extensions.Logging;

namespace ResumableUploads.Hosting.Startup;

/// <summary>
/// Names engines after the identities of their endpoints. An identity does not depend on the order in which the app adds its endpoints; only endpoints with
/// equal identities are numbered in that order.
/// </summary>
internal sealed class EngineNameRegistry(ILogger logger)
{
    private readonly List<Func<string?>> _identities = [];
    private readonly Lock _lock = new();

    /// <summary>Adds an engine.</summary>
    /// <param name="getIdentity">Gets the identity of its endpoint, or <see langword="null"/> while it is not known.</param>
    /// <returns>A function that gets the name of the engine: one, or none while it is not known.</returns>
    public Func<IReadOnlyCollection<string>> Add(Func<string?> getIdentity)
    {
        Func<string?>[] earlier;
        lock (_lock)
        {
            earlier = [.. _identities];
            _identities.Add(getIdentity);
        }

        string[] names = [];
        return () => names.Length > 0 ? names : names = GetNames(getIdentity(), earlier);
    }

    private string[] GetNames(string? identity, Func<string?>[] earlier)
    {
        if (identity is null)
        {
            return [];
        }

        int number = 1 + earlier.Count(getIdentity => getIdentity() == identity);
        if (number == 1)
        {
            return [identity];
        }

        Log.EndpointsShareIdentity(logger, number, identity.Replace('\0', ' ').TrimEnd());
        return [$"{identity}#{number}"];
    }
}
