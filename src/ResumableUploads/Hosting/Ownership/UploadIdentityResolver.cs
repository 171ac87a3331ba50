using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using ResumableUploads.Hosting.Requests;
using ResumableUploads.Protocols;

namespace ResumableUploads.Hosting.Ownership;

/// <summary>Determines the owner and the scope of an upload. Both are part of its key.</summary>
internal sealed class UploadIdentityResolver(ResumableUploadOptions options, ILogger logger)
{
    private readonly OwnerResolver _ownerResolver = new(options, logger);

    /// <summary>Gets the owner of the uploads of a request, or the problem of a request that cannot have one.</summary>
    public bool TryGetOwner(HttpContext context, UploadIdSource idSource, out string owner, [NotNullWhen(false)] out Problem? problem) =>
        (problem = _ownerResolver.Resolve(context, idSource, out owner)) is null;

    /// <summary>Gets the scope in which the ids of an owner are unique. The default is the URL where the upload was created.</summary>
    public string GetScope(HttpContext context, UploadUrl url) =>
        options.Scope is { } getScope ? getScope(context) : context.Request.PathBase + url.CreationPath.Value;
}
