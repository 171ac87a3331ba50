namespace ResumableUploads;

/// <summary>
/// Creates upload tickets: signed URLs that let their bearer upload one file for a limited time, without being signed in. <c>AddResumableUploads()</c> registers
/// the service. It needs <c>AddDataProtection()</c>.
/// </summary>
public interface IUploadTickets
{
    /// <summary>Creates a ticket. Nothing is stored until it is used.</summary>
    /// <param name="options">What the bearer may upload, and where.</param>
    /// <returns>The ticket. Its URL is a secret.</returns>
    /// <exception cref="ArgumentException">An option is invalid, or the options are too long for a URL.</exception>
    /// <exception cref="InvalidOperationException">The application has not called <c>AddDataProtection()</c>.</exception>
    UploadTicket Create(UploadTicketOptions options);
}
