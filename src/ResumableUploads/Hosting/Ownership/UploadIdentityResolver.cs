using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using ResumableUploads.Hosting.Requests;
using ResumableUploads.Protocols;

namespace ResumableUploads.Hosting.Ownership;

/// <summary>Determines the owner and the scope of an upload. Both are part of its key.</summary>
/// <param name="options">The options.</param>
/// <param name="logger">The logger.</param>
/// <param name="getIdentity">Gets the identity of a ready-made endpoint, or <see langword="null"/> if the uploads belong to middleware or to endpoints of the app.</param>
internal sealed class UploadIdentityResolver(ResumableUploadOptions options, ILogger logger, Func<string?>? getIdentity)
{
    private readonly OwnerResolver _ownerResolver = new(options, logger);

    /// <summary>Gets the owner of the uploads of a request, or the problem of a request that cannot have one.</summary>
    public bool TryGetOwner(HttpContext context, UploadIdSource idSource, out string owner, [NotNullWhen(false)] out Problem? problem) =>
        (problem = _ownerResolver.Resolve(context, idSource, out owner)) is null;

    /// <inheritdoc cref="OwnerResolver.SetCookieIfMissing"/>
    public void SetOwnerCookieIfMissing(HttpContext context, string owner) => _ownerResolver.SetCookieIfMissing(context, owner);

    /// <summary>
    /// Gets the scope in which the ids of an owner are unique: the endpoint, and <see cref="ResumableUploadOptions.Scope"/> or the host and path where the
    /// upload was created.
    /// </summary>
    public string GetScope(UploadRequest request)
    {
        HttpContext context = request.Context;
        return GetScope(context, $"{context.Request.PathBase}{request.Url.CreationPath.Value}", request.Target?.Route.Identity ?? getIdentity?.Invoke());
    }

    /// <summary>Gets the scope of the uploads that were created at a path, which includes the path base, of a ready-made endpoint.</summary>
    public string GetScope(HttpContext context, string creationPath) => GetScope(context, creationPath, getIdentity?.Invoke());

    private string GetScope(HttpContext context, string creationPath, string? endpoint)
    {
        if (options.Scope is not { } getScope)
        {
            string place = $"{context.Request.Host.Host.ToLowerInvariant()}\0{creationPath}";
            return endpoint is not null ? $"{endpoint}\0{place}" : place;
        }

        // Middleware with unnamed options has no identity but its path. A scope that is the path has it already.
        string scope = getScope(context);
        endpoint ??= scope != creationPath ? $"{options.UploadPath.TrimEnd('/')}\0" : null;
        return endpoint is not null ? $"{endpoint}\0{scope}" : scope;
    }
}
