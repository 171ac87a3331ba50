using System.Buffers;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Net.Http.Headers;
using ResumableUploads.Hosting.Requests;

namespace ResumableUploads.Hosting.Tickets;

/// <summary>Creates tickets.</summary>
internal sealed class UploadTickets(IServiceProvider services) : IUploadTickets
{
    private const int MaxOwnerLength = 256;
    private const int MaxFileNameLength = 255;
    private const int MaxContentTypes = 20;
    private static readonly SearchValues<char> NotInPath = SearchValues.Create("?#{}\\\0");

    private readonly TicketProtector _protector = new(services);
    private readonly TimeProvider _time = services.GetService<TimeProvider>() ?? TimeProvider.System;

    public UploadTicket Create(UploadTicketOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (FindError(options) is { } error)
        {
            throw new ArgumentException(error, nameof(options));
        }

        string path = options.Path.TrimEnd('/');
        var payload = new TicketPayload
        {
            Id = UploadUrl.NewId(),
            Path = path,
            Host = options.Host is null ? null : HostString.FromUriComponent(options.Host).Host,
            Owner = options.Owner,
            MaxLength = options.MaxLength,
            ContentTypes = options.ContentTypes.Count > 0 ? [.. options.ContentTypes] : null,
            FileName = options.FileName,
            Expires = _time.GetUtcNow() + options.Lifetime,
        };
        string ticket = _protector.Protect(payload);
        if (ticket.Length > TicketProtector.MaxLength)
        {
            throw new ArgumentException(
                $"The ticket would have {ticket.Length} characters, more than the {TicketProtector.MaxLength} that are accepted in a URL. " +
                "Shorten the path, the owner, the file name or the list of content types.",
                nameof(options));
        }

        return new UploadTicket(payload.Id, $"{UploadUrl.EscapePath(path)}?{TicketQuery.ParameterName}={ticket}", payload.Expires);
    }

    /// <summary>Returns what is wrong with the options, or <see langword="null"/> if they are valid.</summary>
    private static string? FindError(UploadTicketOptions options) =>
        options.Path is not ['/', not '/', ..] || options.Path.AsSpan().ContainsAny(NotInPath)
            ? $"{nameof(options.Path)} '{options.Path}' is not a path. It must start with one '/', and must have neither a query nor route parameters: pass their values."
        : options.Host is not null && Uri.CheckHostName(options.Host) == UriHostNameType.Unknown
            ? $"{nameof(options.Host)} '{options.Host}' is not a host name. Pass it without scheme, port and path."
        : options.Owner is { Length: 0 or > MaxOwnerLength }
            ? $"{nameof(options.Owner)} must have 1 to {MaxOwnerLength} characters, or be null for an anonymous client."
        : options.MaxLength is <= 0
            ? $"{nameof(options.MaxLength)} is {options.MaxLength}. It must be greater than 0, or null for the limit of the endpoint."
        : options.FileName is { Length: 0 or > MaxFileNameLength }
            ? $"{nameof(options.FileName)} must have 1 to {MaxFileNameLength} characters, or be null to let the client choose it."
        : options.ContentTypes.Count > MaxContentTypes
            ? $"{nameof(options.ContentTypes)} has more than {MaxContentTypes} types. Use a range such as 'image/*'."
        : options.ContentTypes.FirstOrDefault(static type => !IsMediaType(type)) is { } type
            ? $"{nameof(options.ContentTypes)} contains '{type}', which is not a media type such as 'image/png' or 'image/*'."
        : options.Lifetime <= TimeSpan.Zero || options.Lifetime > UploadTicketOptions.MaxLifetime
            ? $"{nameof(options.Lifetime)} is {options.Lifetime}. It must be greater than zero and at most {UploadTicketOptions.MaxLifetime.Days} days."
        : null;

    private static bool IsMediaType(string text) =>
        MediaTypeHeaderValue.TryParse(text, out MediaTypeHeaderValue? type)
        && type.Parameters.Count == 0
        && (type.MatchesAllTypes || (!type.Type.AsSpan().Contains('*') && (type.MatchesAllSubTypes || !type.SubType.AsSpan().Contains('*'))));
}
