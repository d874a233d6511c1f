import { RequireRole } from 'nestjs-sessions';

// Compiles only where the application has not said which roles there are.
@RequireRole('admn')
export class StaffController {}
