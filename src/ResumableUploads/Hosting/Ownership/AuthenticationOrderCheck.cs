using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace ResumableUploads.Hosting.Ownership;

/// <summary>
/// Detects that uploads are handled before the authentication middleware, so that every client is anonymous. The order is known only when the first
/// request arrives: a pipeline cannot be inspected when it is built.
/// </summary>
internal sealed class AuthenticationOrderCheck(ILogger logger)
{
    private int _isChecked;

    /// <summary>Logs a warning, once, if the app authenticates by default but has not authenticated this anonymous request.</summary>
    public void WarnIfTooEarly(HttpContext context)
    {
        if (_isChecked != 0 || Interlocked.Exchange(ref _isChecked, 1) != 0)
        {
            return;
        }

        // The authentication middleware sets the feature for every request that it has seen.
        if (context.Features.Get<IAuthenticationFeature>() is null
            && context.RequestServices?.GetService<IAuthenticationSchemeProvider>() is { } schemes
            && schemes.GetDefaultAuthenticateSchemeAsync() is { IsCompletedSuccessfully: true, Result: { } scheme })
        {
            Log.AuthenticationTooLate(logger, scheme.Name);
        }
    }
}
