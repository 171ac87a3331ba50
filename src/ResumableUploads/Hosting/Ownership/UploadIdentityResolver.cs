using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using ResumableUploads.Abstractions;
using ResumableUploads.Hosting.Requests;
using ResumableUploads.Protocols;

namespace ResumableUploads.Hosting.Ownership;

/// <summary>Determines the owner and the scope of an upload. Both are part of its key.</summary>
/// <param name="options">The options.</param>
/// <param name="logger">The logger.</param>
/// <param name="getIdentity">Gets the identity of a ready-made endpoint, or <see langword="null"/> if the uploads belong to middleware or to endpoints of the app.</param>
internal sealed class UploadIdentityResolver(ResumableUploadOptions options, ILogger logger, Func<string?>? getIdentity)
{
    private const int HashLength = 16;
    private readonly OwnerResolver _ownerResolver = new(options, logger);

    /// <summary>Gets the owner of the uploads of a client, or the problem of a request that cannot have one.</summary>
    public bool TryGetOwner(HttpContext context, UploadIdSource idSource, out string owner, [NotNullWhen(false)] out Problem? problem) =>
        (problem = _ownerResolver.Resolve(context, idSource, out owner)) is null;

    /// <summary>Gets the owner of the upload of a request: that of its ticket or, without one, of the client. Otherwise the problem of the request.</summary>
    public bool TryGetOwner(UploadRequest request, UploadIdSource idSource, out string owner, [NotNullWhen(false)] out Problem? problem)
    {
        owner = request.Ticket?.Owner ?? "";
        problem = request.TicketProblem;
        return problem is null && (request.Ticket is not null || TryGetOwner(request.Context, idSource, out owner, out problem));
    }

    /// <summary>Gets the key of the upload of a ticket, or <see langword="null"/> if the request has none.</summary>
    public static UploadKey? GetTicketKey(UploadRequest request, string owner) =>
        request.Ticket is { } ticket ? UploadKeyFactory.FromTicketId(owner, ticket.Id) : null;

    /// <summary>Sets the permit of a request with a ticket. All requests of its upload have the same protocol and endpoint.</summary>
    /// <param name="request">The request.</param>
    /// <param name="protocol">The protocol.</param>
    /// <param name="description">What identifies the content for the client, or <see langword="null"/> if the request does not describe it.</param>
    public void SetPermit(UploadRequest request, string protocol, ReadOnlySpan<byte> description) =>
        request.Permit = request.Ticket?.CreatePermit(
            Hash(Encoding.UTF8.GetBytes($"{protocol}\0{request.Target?.Route.Identity ?? getIdentity?.Invoke()}")), description.IsEmpty ? null : Hash(description));

    private static string Hash(ReadOnlySpan<byte> text) => Convert.ToHexStringLower(SHA256.HashData(text).AsSpan(0, HashLength));

    /// <inheritdoc cref="OwnerResolver.SetCookieIfMissing"/>
    public void SetOwnerCookieIfMissing(HttpContext context, string owner) => _ownerResolver.SetCookieIfMissing(context, owner);

    /// <summary>
    /// Gets the scope in which the ids of an owner are unique: the endpoint, and <see cref="ResumableUploadOptions.Scope"/> or the host and path where the
    /// upload was created.
    /// </summary>
    public string GetScope(UploadRequest request)
    {
        HttpContext context = request.Context;
        string creationPath = context.Request.PathBase.HasValue ? $"{context.Request.PathBase}{request.Url.CreationPath.Value}" : request.Url.CreationPath.Value!;
        return GetScope(context, creationPath, request.Target?.Route.Identity ?? getIdentity?.Invoke());
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
