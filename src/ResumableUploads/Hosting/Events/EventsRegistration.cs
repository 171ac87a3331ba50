using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.DependencyInjection;

namespace ResumableUploads.Hosting.Events;

/// <summary>An event class of some options, and the methods that it overrides.</summary>
/// <param name="Resolve">Resolves the class from a scope.</param>
/// <param name="Overridden">The names of the overridden methods.</param>
internal sealed record EventsRegistration(Func<IServiceProvider, ResumableUploadEvents> Resolve, IReadOnlySet<string> Overridden)
{
    private static readonly string[] Methods =
    [
        nameof(ResumableUploadEvents.OnCreatingAsync), nameof(ResumableUploadEvents.OnProgressAsync), nameof(ResumableUploadEvents.OnCompletedAsync),
        nameof(ResumableUploadEvents.OnDeadLetteredAsync), nameof(ResumableUploadEvents.OnExpiredAsync),
    ];

    /// <remarks>
    /// Which methods are overridden matters: without a completion handler completed uploads are kept forever, and without a progress
    /// handler no progress is measured.
    /// </remarks>
    public static EventsRegistration Of<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicMethods)] TEvents>()
        where TEvents : ResumableUploadEvents =>
        new(
            static services => services.GetRequiredService<TEvents>(),
            typeof(TEvents).GetMethods()
                .Where(static method => Methods.Contains(method.Name)
                    && method.GetBaseDefinition().DeclaringType == typeof(ResumableUploadEvents)
                    && method.DeclaringType != typeof(ResumableUploadEvents))
                .Select(static method => method.Name)
                .ToHashSet(StringComparer.Ordinal));

    /// <summary>Returns a registration whose class does not handle completed uploads.</summary>
    public EventsRegistration WithoutCompletionHandler() =>
        this with { Overridden = Overridden.Where(static method => method != nameof(ResumableUploadEvents.OnCompletedAsync)).ToHashSet(StringComparer.Ordinal) };
}
