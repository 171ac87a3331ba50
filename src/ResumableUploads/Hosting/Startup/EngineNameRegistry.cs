using System.Collections.Concurrent;
using ResumableUploads.Engine.Locking;

namespace ResumableUploads.Hosting.Startup;

/// <summary>
/// Ensures that engines with a common storage have different names. A name is the identity of an endpoint, which is the same after a restart, whatever the
/// order in which the app adds its endpoints, so background work never calls the events of another endpoint.
/// </summary>
internal sealed class EngineNameRegistry
{
    private readonly ConcurrentDictionary<(UploadLockTable Storage, string Name), object> _endpoints = [];

    /// <summary>Adds the name of an engine.</summary>
    /// <param name="storage">The locks of its store.</param>
    /// <param name="name">The name.</param>
    /// <param name="endpoint">The endpoint, which can add its name more than once.</param>
    /// <param name="message">The message of the exception.</param>
    /// <exception cref="InvalidOperationException">Another endpoint has the name.</exception>
    public void Add(UploadLockTable storage, string name, object endpoint, string message)
    {
        if (_endpoints.GetOrAdd((storage, name), endpoint) != endpoint)
        {
            throw new InvalidOperationException(message);
        }
    }
}
