using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.DependencyInjection;
using ResumableUploads.Hosting.Requests;

namespace ResumableUploads.Hosting.Tickets;

/// <summary>Encrypts and signs tickets with the keys of ASP.NET Core data protection.</summary>
internal sealed class TicketProtector(IServiceProvider services)
{
    /// <summary>The maximum length of a ticket in characters. Servers limit the request line, Kestrel to 8 KB.</summary>
    public const int MaxLength = 4096;

    /// <summary>Separates tickets from everything else that the application protects. A change of it invalidates all tickets.</summary>
    private const string Purpose = "ResumableUploads.UploadTicket.v1";

    private const string MissingServiceMessage =
        "Upload tickets need ASP.NET Core data protection. Call builder.Services.AddDataProtection(), and share its keys if the application runs on several nodes.";

    private IDataProtector? _protector;

    private IDataProtector Protector => _protector ??=
        services.GetService<IDataProtectionProvider>()?.CreateProtector(Purpose) ?? throw new InvalidOperationException(MissingServiceMessage);

    /// <param name="services">The services of the application.</param>
    /// <param name="endpoint">The name of the endpoint that accepts tickets, or <see langword="null"/> for middleware.</param>
    /// <exception cref="InvalidOperationException">The application has no data protection.</exception>
    public static void ThrowIfServiceMissing(IServiceProvider services, string? endpoint = null)
    {
        if (services.GetService<IDataProtectionProvider>() is null)
        {
            throw new InvalidOperationException(endpoint is null ? MissingServiceMessage : $"The endpoint '{endpoint}' accepts upload tickets. {MissingServiceMessage}");
        }
    }

    /// <summary>Returns a ticket as text that is safe in a URL.</summary>
    /// <exception cref="InvalidOperationException">The application has no data protection.</exception>
    public string Protect(TicketPayload payload) =>
        Base64Url.EncodeToString(Protector.Protect(JsonSerializer.SerializeToUtf8Bytes(payload, TicketJsonContext.Default.TicketPayload)));

    /// <summary>Returns the content of a ticket, or <see langword="null"/> if this application has not created it or its key was revoked or is lost.</summary>
    public TicketPayload? TryUnprotect(string text)
    {
        if (text.Length is 0 or > MaxLength || !Base64Url.IsValid(text))
        {
            return null;
        }

        try
        {
            return JsonSerializer.Deserialize(Protector.Unprotect(Base64Url.DecodeFromChars(text)), TicketJsonContext.Default.TicketPayload)
                is { Version: TicketPayload.CurrentVersion } payload && UploadUrl.IsId(payload.Id) ? payload : null;
        }
        catch (Exception e) when (e is CryptographicException or FormatException or JsonException)
        {
            return null;
        }
    }
}
